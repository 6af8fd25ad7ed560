// SPDX-License-Identifier: Apache-2.0
// The two ways to ask a realm for a token, and what it answers. Inside builder/registry.
// Thread-safe.
#pragma once

#include "builder/registry/challenge.h"
#include "builder/registry/credentials/credential.h"
#include "builder/registry/transport.h"

#include <chrono>
#include <optional>
#include <string>

namespace mybuild::registry {

struct TokenAnswer {
  std::string token;
  std::string refresh_token;  // may be empty
  std::chrono::seconds life{0};
};

/// `challenge` has a realm. An identity token goes as OAuth2 grant in the body of a POST, a
/// password as Basic authorization of a GET; none: asked anonymously.
Request token_request(const Challenge& challenge, const std::string& scope,
                      const std::optional<Credential>& credential, bool offline_token);
/// Fails when there is no token in it that could stand in a header.
Result<TokenAnswer> parse_token(const std::string& document);

/// "Basic …"
std::string basic_authorization(const Credential& credential);

}  // namespace mybuild::registry
