// SPDX-License-Identifier: Apache-2.0
// An agent that runs behind a socket. Thread-safe.
#pragma once

#include "builder/secrets/ssh_agent.h"

#include <memory>
#include <string>

namespace mybuild::secrets {

/// Fails when nobody listens at `path`.
Result<std::unique_ptr<SshAgent>> open_socket_agent(const std::string& path);

}  // namespace mybuild::secrets
