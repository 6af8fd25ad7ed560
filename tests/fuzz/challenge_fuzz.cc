// SPDX-License-Identifier: Apache-2.0
// What a registry says of logins: a WWW-Authenticate header in the first line, in the rest what its
// token server answers.
#include "builder/registry/challenge.h"

#include "builder/registry/token_request.h"
#include "builder/registry/url.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace mybuild::fuzz {

namespace {

using registry::Challenge;
using registry::Credential;
using registry::Request;

constexpr char kScope[] = "repository:team/app:pull,push";
const Credential kPassword{.username = "me", .password = "hunter2", .identity_token = ""};
const Credential kToken{.username = "me", .password = "", .identity_token = "identity"};

bool is_graphic(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string quoted(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return text + '"';
}

void check_again(const Challenge& challenge) {
  std::string header = challenge.scheme + " ";
  for (const auto& [name, value] : challenge.values) {
    header += name + "=" + quoted(value) + ",";
  }
  const auto again = registry::parse_challenge(header);
  require(again && again->scheme == challenge.scheme && again->values == challenge.values,
          "what was understood is understood again");
}

/// Behind the realm, which the caller has looked at, stands nothing that the header chose freely.
void check_request(const Request& request, const std::string& realm) {
  require(request.url.starts_with(realm), "the realm is asked");
  require(registry::origin_of(request.url) == registry::origin_of(realm), "and no other host");
  require(is_graphic(request.url.substr(realm.size())), "a query is encoded");
  for (const std::string& header : request.headers) {
    require(header.find_first_of("\r\n") == std::string::npos, "a header is one line");
  }
}

void check_requests(const Challenge& challenge) {
  const std::string& realm = challenge.values.at("realm");
  const Request anonymous = registry::token_request(challenge, kScope, std::nullopt, false);
  const Request password = registry::token_request(challenge, kScope, kPassword, true);
  const Request token = registry::token_request(challenge, kScope, kToken, false);
  for (const Request& request : {anonymous, password, token}) {
    check_request(request, realm);
  }
  require(anonymous.headers.empty() && anonymous.body.empty(), "nobody is named unasked");
  Credential other = kPassword;
  other.password = "other";
  require(registry::token_request(challenge, kScope, other, true).url == password.url,
          "a password is in no URL");
  require(token.url == realm && is_graphic(token.body) && !token.follow_redirects,
          "an identity token is in the body");
}

void check_token(const std::string& document) {
  const auto answer = registry::parse_token(document);
  if (!answer) {
    require(!answer.error().message().empty(), "an error says something");
    return;
  }
  require(!answer->token.empty() && is_graphic(answer->token), "a token can stand in a header");
  require(answer->life.count() > 0 && answer->life.count() <= 24 * 3600, "it ends some day");
}

}  // namespace

void run(std::string_view input) {
  const auto line = std::min(input.find('\n'), input.size());
  if (const auto challenge = registry::parse_challenge(input.substr(0, line))) {
    require(
        !challenge->scheme.empty() && challenge->scheme == registry::lower_case(challenge->scheme),
        "a scheme has a name");
    check_again(*challenge);
    if (challenge->values.contains("realm")) {
      check_requests(*challenge);
    }
  }
  check_token(std::string(input.substr(std::min(line + 1, input.size()))));
}

}  // namespace mybuild::fuzz
