// SPDX-License-Identifier: Apache-2.0
// Whether a registry takes a login. Thread-safe.
#pragma once

#include "builder/registry/credentials/credential.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/transport.h"

#include <string>

namespace mybuild::registry {

/// Denied when not. What to store of it: the same, or the identity token that the registry's token
/// server gave instead of the password.
Result<Credential> check_login(Transport& transport, const HostTable& hosts,
                               const std::string& registry, const Credential& credential,
                               const Cancel& cancel);

}  // namespace mybuild::registry
