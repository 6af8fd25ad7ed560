// SPDX-License-Identifier: Apache-2.0
// Programs that keep logins: docker-credential-NAME, which get a request on standard input and
// answer on standard output (docker's credential helper protocol). Thread-safe.
#pragma once

#include "builder/registry/credentials/credential.h"

#include <optional>
#include <string>

namespace mybuild::registry {

/// `server` is a key as docker writes it (server_key()). nullopt when the program has none for it.
Result<std::optional<Credential>> helper_get(const std::string& name, const std::string& server,
                                             const Cancel& cancel);
Status helper_store(const std::string& name, const std::string& server,
                    const Credential& credential, const Cancel& cancel);
/// Success also when there was nothing to erase.
Status helper_erase(const std::string& name, const std::string& server, const Cancel& cancel);

}  // namespace mybuild::registry
