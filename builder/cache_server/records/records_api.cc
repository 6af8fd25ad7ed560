// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/records/records_api.h"

#include "builder/cache_server/protocol/messages.h"
#include "builder/cache_server/protocol/names.h"
#include "builder/cache_server/records/verbs.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

constexpr std::string_view kFolder = "/cache/v1/";
constexpr std::size_t kMaxRequestBytes = 2 << 20;  // but of a publish

struct Verb {
  std::string_view name;
  std::string_view method;
  std::size_t limit;
  bool (Caller::*is_allowed)(std::string_view space) const;
  Result<Outcome> (*serve)(const Ask& ask);
};
constexpr Verb kVerbs[] = {
    {"lookup", "POST", kMaxRequestBytes, &Caller::may_read, serve_lookup},
    {"blobs", "POST", kMaxRequestBytes, &Caller::may_read, serve_blobs},
    {"keys", "GET", 0, &Caller::may_read, serve_keys},
    {"publish", "POST", kMaxMessageBytes, &Caller::may_write, serve_publish},
    {"explain", "POST", kMaxRequestBytes, &Caller::may_read, serve_explain},
    {"claim", "POST", kMaxRequestBytes, &Caller::may_claim, serve_claim},
    {"heartbeat", "POST", kMaxRequestBytes, &Caller::may_claim, serve_heartbeat},
    {"release", "POST", kMaxRequestBytes, &Caller::may_claim, serve_release},
    {"wait", "POST", kMaxRequestBytes, &Caller::may_claim, serve_wait},
};

struct Address {
  const Verb* verb = nullptr;  // null where nothing is served
  std::string space;
};

Address address_of(const Request& request) {
  Address address;
  if (!request.path.starts_with(kFolder)) {
    return address;
  }
  const std::string rest = request.path.substr(kFolder.size());
  const std::size_t slash = rest.find('/');
  const auto* verb = std::find_if(std::begin(kVerbs), std::end(kVerbs), [&](const Verb& each) {
    return each.name == rest.substr(0, slash);
  });
  if (verb == std::end(kVerbs) || slash == std::string::npos) {
    return address;
  }
  address.verb = verb;
  address.space = request.caller.meant_space(rest.substr(slash + 1));
  return address;
}

/// Why a request is not let in; nullopt if it is.
std::optional<Answer> objection(const Request& request, const Address& address) {
  if (address.verb == nullptr) {
    return error_answer(404, "NOT_FOUND", "nothing is served at " + request.path);
  }
  if (request.method != address.verb->method) {
    return unsupported_method(address.verb->method);
  }
  if (request.caller.token_id.empty()) {
    Answer answer = error_answer(401, "UNAUTHORIZED", "a token is needed");
    return answer.with("WWW-Authenticate", "Basic realm=\"mybuild\"");
  }
  if (!is_repository_name(address.space)) {
    return error_answer(400, "NAME_INVALID", "that is no name of a namespace");
  }
  if (!(request.caller.*address.verb->is_allowed)(address.space)) {
    return error_answer(403, "DENIED",
                        fmt::format("the token is not good for {} in namespace {}",
                                    address.verb->name, address.space));
  }
  return std::nullopt;
}

Answer answer_to(const Error& error) {
  // An unknown kind of digest is the client's mistake here, not a missing part of the server.
  return error.kind() == ErrorKind::Unsupported ? error_answer(400, "INVALID", error.message())
                                                : error_answer(error);
}

}  // namespace

RecordsApi::RecordsApi(Deps deps) : deps_(std::move(deps)), keys_(deps_.meta.access()) {
  Metrics& metrics = deps_.metrics;
  metrics.describe("mybuild_serve_keys_asked_total", "Keys of steps that lookups asked for.");
  metrics.describe("mybuild_serve_records_found_total", "Records that lookups were given.");
  metrics.describe("mybuild_serve_records_published_total",
                   "Records that were sent, by what became of them.");
  metrics.describe("mybuild_serve_claims_asked_total",
                   "Steps that somebody wanted to run, by what he was told.");
}

std::unique_ptr<Exchange> RecordsApi::begin(Request request) {
  const Address address = address_of(request);
  if (std::optional<Answer> no = objection(request, address)) {
    return refuse_with(std::move(*no));
  }
  const auto answer = [this, address, caller = request.caller](std::string body) -> Outcome {
    Result<Lineage> lineage = keys_.lineage(address.space);
    if (!lineage) {
      return answer_to(lineage.error());
    }
    const Ask ask{.deps = deps_,
                  .caller = caller,
                  .lineage = std::move(*lineage),
                  .body = std::move(body),
                  .now = deps_.clock.now()};
    Result<Outcome> outcome = address.verb->serve(ask);
    return outcome ? std::move(*outcome) : Outcome(answer_to(outcome.error()));
  };
  if (address.verb->limit == 0) {
    return answer_with([answer] { return answer(""); });
  }
  return gather(address.verb->limit, request.body_size, answer);
}

}  // namespace mybuild::cache_server
