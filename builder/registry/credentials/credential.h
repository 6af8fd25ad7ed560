// SPDX-License-Identifier: Apache-2.0
// Credential: what a registry knows a user by; CredentialSource: where one comes from. Registries
// are named as in image names: "docker.io", "reg.example:5000".
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <optional>
#include <string>

namespace mybuild::registry {

struct Credential {
  std::string username;
  std::string password;
  std::string identity_token;  // instead of the two: for the token server only
  bool operator==(const Credential&) const = default;
};

/// Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// nullopt when nobody has logged in there. `repository` may narrow it ("team/app"), and may be
  /// empty. An error says which file or program could not be asked.
  virtual Result<std::optional<Credential>> find(const std::string& registry,
                                                 const std::string& repository,
                                                 const Cancel& cancel) = 0;
};

}  // namespace mybuild::registry
