// SPDX-License-Identifier: Apache-2.0
// What a cache server knows us by: the token that the user set, else docker's login for its host,
// else what a server of our own user on this machine has left for us. Thread-safe.
#pragma once

#include "builder/cache_client/address.h"
#include "builder/registry/credentials/credential.h"

#include <string>

namespace mybuild::cache_client {

/// "" when there is none. `given` may be empty, `logins` null.
std::string find_token(const ServerAddress& address, const std::string& given,
                       registry::CredentialSource* logins, const Cancel& cancel);

}  // namespace mybuild::cache_client
