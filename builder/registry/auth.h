// SPDX-License-Identifier: Apache-2.0
// Anonymous bearer tokens: a registry answers 401 with a WWW-Authenticate challenge, the realm
// named in it hands out a token, the request is sent again (distribution "Token Authentication
// Specification"). Tokens are kept per host and scope until they run out. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/base/guarded.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::registry {

/// One challenge of a WWW-Authenticate header.
struct Challenge {
  std::string scheme;                         // lower case
  std::map<std::string, std::string> values;  // names in lower case
};

/// The first Bearer challenge, else the first of any kind; nullopt when the header cannot be read.
std::optional<Challenge> parse_challenge(std::string_view header);

class TokenKeeper {
 public:
  explicit TokenKeeper(Transport& transport) : transport_(transport) {}

  /// A token that is still good; "" when there is none.
  std::string find(const std::string& host, const std::string& scope);
  void forget(const std::string& host, const std::string& scope);
  /// Answers the challenge in `unauthorized` and keeps the token. Denied when the registry wants
  /// credentials, or names a realm that a token must not be fetched from.
  Result<std::string> fetch(const std::string& host, const std::string& scope,
                            const Response& unauthorized, const Cancel& cancel);

 private:
  struct Token {
    std::string text;
    std::chrono::steady_clock::time_point expires;
  };
  Transport& transport_;
  Guarded<std::map<std::string, Token>> tokens_;
};

}  // namespace mybuild::registry
