// SPDX-License-Identifier: Apache-2.0
// AuthFile: what docker's config.json and containers' auth.json say of logins, read. Value type.
#pragma once

#include "builder/registry/credentials/credential.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::registry {

struct AuthFile {
  std::string path;                         // for messages
  std::map<std::string, Credential> auths;  // by key, as written
  std::map<std::string, std::string> helpers;
  std::string store;  // the helper for all others; may be empty

  /// Of the keys that name the registry, or a part of it that the repository is in, the longest.
  std::optional<Credential> find(const std::string& registry, const std::string& repository) const;
  /// The program that keeps its login ("docker-credential-" left out); empty when the file does.
  std::string helper_for(const std::string& registry) const;
};

/// Fails when it is no JSON, or an entry is not what docker writes; the error never shows a value.
Result<AuthFile> parse_auth_file(std::string_view text, const std::string& path);
/// nullopt when there is no such file.
Result<std::optional<AuthFile>> read_auth_file(const std::string& path);

/// Under which name docker keeps a login: Docker Hub's is its old URL.
std::string server_key(const std::string& registry);
/// The registry that a key or an address given by hand means: "https://host/v1/" is host.
std::string registry_of_key(std::string_view key);

}  // namespace mybuild::registry
