// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/admin_api.h"

#include "builder/cache_server/protocol/names.h"
#include "builder/cache_server/protocol/signature.h"
#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/record_tables.h"
#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::int64_t kMaxLife = std::int64_t{10} * 365 * 86'400;  // seconds

/// One request, for whoever serves it.
struct Ask {
  MetaStore& meta;
  const Clock& clock;
  const Request& request;
  std::string rest;  // of the path, behind the folder
  std::string body;
};

bool rules(const Caller& caller, const std::string& space, AccessTables& access) {
  if (caller.is_everywhere()) {
    return true;
  }
  const Result<std::vector<SpaceRow>> lineage = access.lineage(space);
  return lineage && std::any_of(lineage->begin(), lineage->end(),
                                [&](const SpaceRow& row) { return row.name == caller.space; });
}

Error not_yours(const std::string& space) {
  return make_error(ErrorKind::Denied, "the token does not rule the namespace {}", space);
}

Json shown(const TokenRow& token) {
  Json json = {{"id", token.id},
               {"namespace", token.space},
               {"scopes", scope_names(token.scopes)},
               {"note", token.note},
               {"created", format_rfc3339(token.created)}};
  if (token.expires) {
    json["expires"] = format_rfc3339(*token.expires);
  }
  if (token.revoked) {
    json["revoked"] = format_rfc3339(*token.revoked);
  }
  return json;
}

Answer ok(const Json& json) {
  return json_answer(200, canonical_dump(json));
}

Result<Answer> list_tokens(const Ask& ask) {
  Json list = Json::array();
  for (const TokenRow& token : TRY(ask.meta.access().tokens())) {
    if (rules(ask.request.caller, token.space, ask.meta.access())) {
      list.push_back(shown(token));
    }
  }
  return ok({{"tokens", list}});
}

Result<std::uint8_t> scopes_in(const JsonField& list) {
  std::uint8_t scopes = 0;
  for (const std::string& name : TRY(list.strings())) {
    const std::optional<Scope> scope = parse_scope(name);
    if (!scope) {
      return invalid_argument("{} is none of read, write, claim, admin", name);
    }
    scopes = static_cast<std::uint8_t>(scopes | static_cast<std::uint8_t>(*scope));
  }
  return scopes;
}

/// Else one that is stolen lives for ever in those that it makes.
Result<std::optional<Time>> end_of(const Ask& ask, const std::string& id) {
  for (const TokenRow& token : TRY(ask.meta.access().tokens())) {
    if (token.id == id) {
      return token.expires;
    }
  }
  return std::optional<Time>();
}

Result<Answer> create_token(const Ask& ask) {
  const Json json = TRY(parse_json(ask.body));
  const JsonField root(json, "token");
  NewToken token;
  JsonField field = TRY(root.field("namespace"));
  token.space = ask.request.caller.meant_space(TRY(field.string()));
  field = TRY(root.field("note"));
  token.note = TRY(field.string_or(""));
  field = TRY(root.field("scopes"));
  token.scopes = TRY(scopes_in(field));
  field = TRY(root.field("expires_in"));
  const std::int64_t life = TRY(field.integer_or(0));
  if (life < 0 || life > kMaxLife || token.scopes == 0) {
    return invalid_argument("a token needs scopes, and a time to live of 0 (for ever) to {} s",
                            kMaxLife);
  }
  const Time now = ask.clock.now();
  if (life > 0) {
    token.expires = now + std::chrono::seconds(life);
  }
  const Caller& caller = ask.request.caller;
  if (!rules(caller, token.space, ask.meta.access())) {
    return not_yours(token.space);
  }
  if ((token.scopes & ~caller.scopes) != 0) {
    return make_error(ErrorKind::Denied, "a token gives no scope that it has not got itself");
  }
  if (const std::optional<Time> end = TRY(end_of(ask, caller.token_id))) {
    token.expires = std::min(token.expires.value_or(*end), *end);
  }
  const MadeToken made = TRY(make_token(ask.meta, token, now));
  return json_answer(201, canonical_dump({{"id", made.id}, {"token", made.secret}}));
}

Result<Answer> revoke_token(const Ask& ask) {
  const std::vector<TokenRow> tokens = TRY(ask.meta.access().tokens());
  const auto token = std::find_if(tokens.begin(), tokens.end(),
                                  [&](const TokenRow& each) { return each.id == ask.rest; });
  if (token == tokens.end()) {
    return not_found("there is no token {}", ask.rest);
  }
  if (!rules(ask.request.caller, token->space, ask.meta.access())) {
    return not_yours(token->space);
  }
  TRY(ask.meta.access().revoke_token(ask.rest, ask.clock.now()));
  return ok(Json::object());
}

Result<Answer> list_spaces(const Ask& ask) {
  Json list = Json::array();
  for (const SpaceRow& space : TRY(ask.meta.access().spaces())) {
    if (rules(ask.request.caller, space.name, ask.meta.access())) {
      const SigningKey key = TRY(SigningKey::from_seed(space.seed));
      list.push_back(
          {{"name", space.name}, {"parent", space.parent}, {"key", to_string(key.public_key())}});
    }
  }
  return ok({{"namespaces", list}});
}

Result<Answer> create_space(const Ask& ask) {
  const Json json = TRY(parse_json(ask.body.empty() ? std::string_view("{}") : ask.body));
  const JsonField root(json, "namespace");
  const JsonField field = TRY(root.field("parent"));
  const std::string parent = ask.request.caller.meant_space(TRY(field.string_or("")));
  if (!rules(ask.request.caller, parent, ask.meta.access())) {
    return not_yours(parent.empty() ? ask.rest : parent);
  }
  // Names are addresses of images, too: his are those below his own.
  const Caller& caller = ask.request.caller;
  if (!caller.is_everywhere() && !is_below(ask.rest, caller.space)) {
    return not_yours(ask.rest);
  }
  TRY(make_space(ask.meta, ask.rest, parent));
  return ok(Json::object());
}

/// "<namespace>/<content key>"
Result<RecordTables::Pin> pin_in(const Ask& ask) {
  const std::size_t slash = ask.rest.rfind('/');
  if (slash == std::string::npos) {
    return invalid_argument("pins are namespace/sha256:…");
  }
  RecordTables::Pin pin;
  pin.space = ask.request.caller.meant_space(ask.rest.substr(0, slash));
  pin.content = TRY(Digest::parse(ask.rest.substr(slash + 1)));
  if (!rules(ask.request.caller, pin.space, ask.meta.access())) {
    return not_yours(pin.space);
  }
  return pin;
}

Result<Answer> set_pin(const Ask& ask) {
  const RecordTables::Pin pin = TRY(pin_in(ask));
  if (!TRY(ask.meta.records().set_pin(pin, ask.request.method == "PUT"))) {
    return not_found("no record of {} in {}", pin.content.str(), pin.space);
  }
  return ok(Json::object());
}

Result<Answer> list_pins(const Ask& ask) {
  Json list = Json::array();
  for (const RecordTables::Pin& pin : TRY(ask.meta.records().pins())) {
    if (rules(ask.request.caller, pin.space, ask.meta.access())) {
      list.push_back({{"namespace", pin.space}, {"content", pin.content.str()}});
    }
  }
  return ok({{"pins", list}});
}

Result<Answer> remove_records(const Ask& ask) {
  const Json json = TRY(parse_json(ask.body));
  const JsonField root(json, "records");
  const JsonField field = TRY(root.field("since"));
  const std::string since = TRY(field.string());
  const Time time = TRY(parse_rfc3339(since));
  const std::string space = ask.request.caller.meant_space(ask.rest);
  if (!rules(ask.request.caller, space, ask.meta.access())) {
    return not_yours(space);
  }
  const std::uint64_t removed = TRY(ask.meta.records().remove_since(space, time));
  return ok({{"removed", removed}});
}

struct Route {
  std::string_view method;
  std::string_view folder;
  bool has_rest;
  Result<Answer> (*serve)(const Ask& ask);
};
constexpr Route kRoutes[] = {
    {"GET", "/admin/v1/tokens", false, list_tokens},
    {"POST", "/admin/v1/tokens", false, create_token},
    {"DELETE", "/admin/v1/tokens", true, revoke_token},
    {"GET", "/admin/v1/namespaces", false, list_spaces},
    {"PUT", "/admin/v1/namespaces", true, create_space},
    {"GET", "/admin/v1/pins", false, list_pins},
    {"PUT", "/admin/v1/pins", true, set_pin},
    {"DELETE", "/admin/v1/pins", true, set_pin},
    {"POST", "/admin/v1/remove-records", true, remove_records},
};

bool fits(const Route& route, const std::string& path) {
  return route.has_rest ? path.size() > route.folder.size() + 1 && path.starts_with(route.folder) &&
                              path[route.folder.size()] == '/'
                        : path == route.folder;
}

/// For the Allow header; "" where nothing is served.
std::string methods_at(const std::string& path) {
  std::string methods;
  for (const Route& route : kRoutes) {
    if (fits(route, path)) {
      methods += (methods.empty() ? "" : ", ") + std::string(route.method);
    }
  }
  return methods;
}

}  // namespace

std::unique_ptr<Exchange> AdminApi::begin(Request request) {
  if (request.caller.token_id.empty() || request.caller.token_id == kAnonymous) {
    Answer answer = error_answer(401, "UNAUTHORIZED", "a token with the scope admin is needed");
    return refuse_with(answer.with("WWW-Authenticate", "Basic realm=\"mybuild\""));
  }
  if (!request.caller.has(Scope::Admin)) {
    return refuse_with(error_answer(403, "DENIED", "the token has not got the scope admin"));
  }
  for (const Route& route : kRoutes) {
    if (route.method == request.method && fits(route, request.path)) {
      const std::string rest =
          route.has_rest ? request.path.substr(route.folder.size() + 1) : std::string();
      const auto announced = request.body_size;
      return gather(
          kMaxBody, announced,
          [this, &route, rest, request = std::move(request)](std::string body) -> Outcome {
            Result<Answer> answer = route.serve({.meta = meta_,
                                                 .clock = clock_,
                                                 .request = request,
                                                 .rest = rest,
                                                 .body = std::move(body)});
            return answer ? std::move(*answer) : error_answer(answer.error());
          });
    }
  }
  const std::string allowed = methods_at(request.path);
  return refuse_with(allowed.empty()
                         ? error_answer(404, "NOT_FOUND", "nothing is served at " + request.path)
                         : unsupported_method(allowed));
}

}  // namespace mybuild::cache_server
