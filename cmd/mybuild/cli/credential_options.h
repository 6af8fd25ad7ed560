// SPDX-License-Identifier: Apache-2.0
// What --secret, --ssh and --allow say. Nothing is opened or read here. Pure, thread-safe.
#pragma once

#include "builder/entitlements.h"
#include "builder/secrets/given_agents.h"
#include "builder/secrets/given_secrets.h"
#include "snapshotter/base/result.h"

#include <string_view>

namespace mybuild::cli {

/// "id=ID[,src=FILE][,env=VARIABLE][,type=file|env]"; with type=env, src names a variable.
Result<secrets::SecretSpec> parse_secret(std::string_view text);
/// "ID[=SOCKET|KEY[,KEY…]]"
secrets::SshSpec parse_ssh(std::string_view text);
/// "network.host", "security.insecure", "device" or "device=NAME[,alias=ALIAS]". Adds what `text`
/// names; "" names nothing.
Status allow(std::string_view text, builder::Entitlements& allowed);

}  // namespace mybuild::cli
