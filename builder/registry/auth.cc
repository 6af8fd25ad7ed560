// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/auth.h"

#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/token_request.h"
#include "builder/registry/url.h"
#include "snapshotter/base/log.h"
#include "snapshotter/oci/reference.h"

#include <algorithm>

namespace mybuild::registry {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMaxTokenDocument = 1 << 20;
constexpr milliseconds kMargin{10000};  // a token must outlive the request it is sent with
constexpr auto kForever = steady_clock::time_point::max();

std::string key_of(const Endpoint& endpoint, const std::string& scope) {
  return endpoint.origin + " " + scope;
}

std::string login_hint(const std::string& registry) {
  const bool hub = registry == "docker.io";
  return "mybuild login" + (hub ? std::string() : " " + registry);
}

Error wants_login(const std::string& registry, const std::string& problem) {
  Error error = problem.empty()
                    ? make_error(ErrorKind::Denied, "{} wants a login, and there is none", registry)
                    : make_error(ErrorKind::Denied, "{} wants a login: {}", registry, problem);
  return std::move(error).with_hint("is the image's name right? If so: " + login_hint(registry));
}

Error wrong_login(const std::string& registry, const std::string& user, const Response& answer) {
  const std::string words = registry_message(answer);
  return make_error(ErrorKind::Denied, "login to {}{} failed: {} (status {})", registry,
                    user.empty() ? "" : " as " + user,
                    words.empty() ? "user name or password are not taken" : words, answer.status)
      .with_hint(login_hint(registry));
}

}  // namespace

std::string TokenKeeper::find(const Endpoint& endpoint, const std::string& scope) {
  auto kept = kept_.lock();
  for (const std::string& key : {key_of(endpoint, scope), key_of(endpoint, "")}) {
    const auto found = kept->find(key);
    if (found != kept->end() && found->second.expires > steady_clock::now()) {
      return found->second.value;
    }
  }
  return {};
}

/// Only what was refused: another thread may have put a better one there.
void TokenKeeper::forget(const Endpoint& endpoint, const std::string& scope,
                         const std::string& value) {
  auto kept = kept_.lock();
  for (const std::string& key : {key_of(endpoint, scope), key_of(endpoint, "")}) {
    const auto found = kept->find(key);
    if (found != kept->end() && found->second.value == value) {
      kept->erase(found);
    }
  }
}

std::mutex& TokenKeeper::turn(const std::string& key) {
  auto turns = turns_.lock();
  return (*turns)[key];
}

std::string TokenKeeper::identity_token() {
  const auto token = identity_token_.lock();
  return *token;
}

/// A broken file or program is no reason to fail where nobody has to log in.
TokenKeeper::Login TokenKeeper::login_of(const Endpoint& endpoint, const Cancel& cancel) {
  Login login;
  if (access_.credentials == nullptr) {
    return login;
  }
  auto found = access_.credentials->find(endpoint.registry, endpoint.repository, cancel);
  if (found) {
    login.credential = *std::move(found);
  } else {
    login.problem = found.error().message();
    log::debug("login to {}: {}", endpoint.registry, login.problem);
  }
  const std::string user = !login.credential ? ""
                           : login.credential->identity_token.empty()
                               ? login.credential->username
                               : "the owner of an identity token";
  users_.lock()->insert_or_assign(endpoint.origin, user);
  problems_.lock()->insert_or_assign(endpoint.origin, login.problem);
  return login;
}

Result<std::string> TokenKeeper::answer(const Endpoint& endpoint, const std::string& scope,
                                        const Response& unauthorized, const std::string& sent,
                                        const Cancel& cancel) {
  // Many layers of one image are asked for at once; one of the requests fetches the token.
  const std::lock_guard turn_of_ours(turn(key_of(endpoint, scope)));
  forget(endpoint, scope, sent);
  if (std::string fresh = find(endpoint, scope); !fresh.empty()) {
    return fresh;
  }
  const std::optional<Challenge> challenge =
      parse_challenge(unauthorized.header("www-authenticate"));
  if (challenge && challenge->scheme == "basic") {
    return basic(endpoint, scope, cancel);
  }
  if (!challenge || challenge->scheme != "bearer" || !challenge->values.contains("realm")) {
    return make_error(ErrorKind::Denied, "{} wants a login of a kind that is not known: \"{}\"",
                      endpoint.registry, printable(unauthorized.header("www-authenticate")));
  }
  Kept kept = TRY(bearer(endpoint, scope, *challenge, cancel));
  std::string value = kept.value;
  kept_.lock()->insert_or_assign(key_of(endpoint, scope), std::move(kept));
  return value;
}

Result<std::string> TokenKeeper::basic(const Endpoint& endpoint, const std::string& scope,
                                       const Cancel& cancel) {
  const Login login = login_of(endpoint, cancel);
  TRY(cancel.check());
  if (!login.credential) {
    return wants_login(endpoint.registry, login.problem);
  }
  if (!login.credential->identity_token.empty()) {
    return wants_login(endpoint.registry, "it takes passwords only, and we have a token");
  }
  std::string value = basic_authorization(*login.credential);
  auto kept = kept_.lock();
  kept->insert_or_assign(key_of(endpoint, ""), Kept{value, kForever});
  kept->erase(key_of(endpoint, scope));
  return value;
}

/// The token decides what we are served, and a login may go there: no plain HTTP over a network,
/// but where the user allows it.
Status TokenKeeper::check_realm(const std::string& realm, const Endpoint& endpoint) const {
  const std::string origin = origin_of(realm);
  const bool local =
      origin.starts_with("http://") && oci::is_loopback(std::string_view(origin).substr(7));
  const bool allowed = origin.starts_with("http://") &&
                       ((endpoint.insecure && origin == endpoint.origin) ||
                        (access_.hosts != nullptr && access_.hosts->is_insecure(origin)));
  if (!origin.starts_with("https://") && !local && !allowed) {
    return make_error(ErrorKind::Denied,
                      "the registry sends to \"{}\" for a token, which is not https",
                      printable(without_query(realm)));
  }
  return {};
}

Result<std::shared_ptr<const TlsSettings>> TokenKeeper::tls_of(const std::string& url,
                                                               const Endpoint& endpoint) const {
  const std::string origin = origin_of(url);
  if (origin == endpoint.origin) {
    return endpoint.tls;
  }
  return access_.hosts == nullptr ? std::shared_ptr<const TlsSettings>()
                                  : access_.hosts->tls_for(origin);
}

Result<TokenKeeper::Kept> TokenKeeper::bearer(const Endpoint& endpoint, const std::string& scope,
                                              const Challenge& challenge, const Cancel& cancel) {
  const std::string& realm = challenge.values.at("realm");
  TRY(check_realm(realm, endpoint));
  const Login login = login_of(endpoint, cancel);
  Request request = token_request(challenge, scope, login.credential, access_.offline_token);
  request.tls = TRY(tls_of(realm, endpoint));
  TextBody body(kMaxTokenDocument);
  const std::string what = "fetch a token for " + endpoint.registry;
  const Response response = TRY(transport_.send(request, body, cancel).context(what));
  if (response.status == 400 || response.status == 401 || response.status == 403) {
    return login.credential ? wrong_login(endpoint.registry, login.credential->username, response)
                            : wants_login(endpoint.registry, login.problem);
  }
  if (!response.ok()) {
    return status_error(response, what);
  }
  const std::string url = without_query(request.url);
  const std::string whose = "token for " + endpoint.registry;
  TRY(expect_json(response, url, body.text()).context(whose));
  const TokenAnswer answer = TRY(parse_token(body.text()).context(whose + " from " + url));
  if (!answer.refresh_token.empty()) {
    const auto token = identity_token_.lock();
    *token = answer.refresh_token;
  }
  const milliseconds life = answer.life;
  return Kept{"Bearer " + answer.token, steady_clock::now() + life - std::min(kMargin, life / 2)};
}

Error TokenKeeper::explain(Error error, const Endpoint& endpoint, int status) {
  std::string user;
  {
    auto users = users_.lock();
    if (const auto found = users->find(endpoint.origin); found != users->end()) {
      user = found->second;
    }
  }
  if (user.empty()) {
    const auto problems = problems_.lock();
    const auto found = problems->find(endpoint.origin);
    const std::string problem =
        found == problems->end() || found->second.empty() ? "" : " (" + found->second + ")";
    return std::move(error).with_hint(
        "is the image's name right, and may everybody read it? "
        "If not: " +
        login_hint(endpoint.registry) + problem);
  }
  if (status == 401) {
    return std::move(error)
        .context(fmt::format("login to {} as {} failed", endpoint.registry, user))
        .with_hint(login_hint(endpoint.registry));
  }
  return std::move(error).with_hint(
      fmt::format("the registry knows us as {}; that account has "
                  "no such right there",
                  user));
}

}  // namespace mybuild::registry
