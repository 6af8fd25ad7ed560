// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/token_request.h"

#include "builder/registry/url.h"
#include "snapshotter/base/base64.h"
#include "snapshotter/base/json.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace mybuild::registry {

namespace {

using std::chrono::seconds;

constexpr seconds kUsualLife{60};  // of a token that does not say
constexpr seconds kLongestLife{24 * 3600};
constexpr char kClientId[] = "mybuild";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      words.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// "repository:r:push,pull" is covered by "repository:r:pull,push".
bool covers(std::string_view ours, std::string_view asked) {
  const std::size_t name = asked.rfind(':') + 1;
  if (!ours.starts_with(asked.substr(0, name))) {
    return false;
  }
  const std::string given = "," + std::string(ours.substr(name)) + ",";
  std::string_view actions = asked.substr(name);
  while (!actions.empty()) {
    const std::size_t end = std::min(actions.find(','), actions.size());
    if (given.find("," + std::string(actions.substr(0, end)) + ",") == std::string::npos) {
      return false;
    }
    actions.remove_prefix(std::min(end + 1, actions.size()));
  }
  return true;
}

/// What we are going to need, and what the challenge names beside that: asked for the little that
/// one request needs, a token would have to be fetched again for the next one.
std::vector<std::string_view> scopes_of(const Challenge& challenge, const std::string& scope) {
  std::vector<std::string_view> scopes = words_of(scope);
  const auto asked = challenge.values.find("scope");
  if (asked == challenge.values.end()) {
    return scopes;
  }
  const std::size_t ours = scopes.size();
  for (const std::string_view word : words_of(asked->second)) {
    const auto end = scopes.begin() + static_cast<std::ptrdiff_t>(ours);
    if (std::none_of(scopes.begin(), end,
                     [&](std::string_view have) { return covers(have, word); })) {
      scopes.push_back(word);
    }
  }
  return scopes;
}

std::string service_of(const Challenge& challenge) {
  const auto service = challenge.values.find("service");
  return service == challenge.values.end() ? std::string() : service->second;
}

/// Whether a token can stand in a header line.
bool is_header_safe(std::string_view token) {
  return !token.empty() &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Request oauth_request(const Challenge& challenge, const std::string& scope,
                      const std::string& identity_token) {
  Request request;
  request.method = "POST";
  request.url = challenge.values.at("realm");
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.follow_redirects = false;  // nobody but the realm gets the token
  std::string scopes;                // one value here
  for (const std::string_view word : scopes_of(challenge, scope)) {
    scopes += (scopes.empty() ? "" : " ") + std::string(word);
  }
  request.body =
      fmt::format("grant_type=refresh_token&client_id={}&service={}&scope={}&refresh_token={}",
                  kClientId, percent_encode(service_of(challenge)), percent_encode(scopes),
                  percent_encode(identity_token));
  return request;
}

}  // namespace

std::string basic_authorization(const Credential& credential) {
  return "Basic " + base64_encode(credential.username + ":" + credential.password);
}

Request token_request(const Challenge& challenge, const std::string& scope,
                      const std::optional<Credential>& credential, bool offline_token) {
  if (credential && !credential->identity_token.empty()) {
    return oauth_request(challenge, scope, credential->identity_token);
  }
  Request request;
  request.url = challenge.values.at("realm");
  if (const std::string service = service_of(challenge); !service.empty()) {
    request.url = with_query(std::move(request.url), "service", service);
  }
  for (const std::string_view word : scopes_of(challenge, scope)) {
    request.url = with_query(std::move(request.url), "scope", word);
  }
  if (credential) {
    request.url = with_query(std::move(request.url), "account", credential->username);
    request.headers = {"Authorization: " + basic_authorization(*credential)};
    if (offline_token) {
      request.url = with_query(std::move(request.url), "offline_token", "true");
      request.url = with_query(std::move(request.url), "client_id", kClientId);
    }
  }
  return request;
}

Result<TokenAnswer> parse_token(const std::string& document) {
  const Json json = TRY(parse_json(document));
  const JsonField root(json, "");
  TokenAnswer answer;
  answer.token = TRY(TRY(root.field("token")).string_or(""));
  if (answer.token.empty()) {
    answer.token = TRY(TRY(root.field("access_token")).string_or(""));
  }
  if (!is_header_safe(answer.token)) {
    return invalid_argument("no usable token in the answer");
  }
  answer.refresh_token = TRY(TRY(root.field("refresh_token")).string_or(""));
  const std::int64_t life = TRY(TRY(root.field("expires_in")).integer_or(0));
  answer.life = life <= 0 ? kUsualLife : std::min(seconds(life), kLongestLife);
  return answer;
}

}  // namespace mybuild::registry
