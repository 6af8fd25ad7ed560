// SPDX-License-Identifier: Apache-2.0
// Where logins are kept: docker's config.json and the programs it names, then containers'
// auth.json. Files are read when somebody first asks; a login is written to docker's file.
#pragma once

#include "builder/registry/credentials/credential.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::registry {

struct CredentialPlaces {
  std::string given;                    // $DOCKER_AUTH_CONFIG: the text of a file; may be empty
  std::string docker;                   // …/config.json
  std::vector<std::string> containers;  // …/auth.json, in order

  /// As docker, podman and skopeo find them.
  static CredentialPlaces from_environment();
};

/// Remembers what it found, so that a program is asked once for a registry.
std::unique_ptr<CredentialSource> make_credential_store(CredentialPlaces places);

struct StoredLogin {
  std::string path;    // of the file, when it is there
  std::string helper;  // the program that keeps it, else empty
};
/// Puts a login where docker would: into the helper for this registry, else into the file, which
/// appears whole and with mode 0600; what else is in it stays.
Result<StoredLogin> store_login(const CredentialPlaces& places, const std::string& registry,
                                const Credential& credential, const Cancel& cancel);
/// False when there was none.
Result<bool> erase_login(const CredentialPlaces& places, const std::string& registry,
                         const Cancel& cancel);

}  // namespace mybuild::registry
