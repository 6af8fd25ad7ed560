// SPDX-License-Identifier: Apache-2.0
// The agents that the command line names: sockets of agents that run, or key files that one of
// ours serves. All are looked at at once, so that what is missing is said before the build.
// Thread-safe (no state).
#pragma once

#include "builder/secrets/ssh_agent.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::secrets {

/// One --ssh. No id: "default"; no path: the socket that SSH_AUTH_SOCK names.
struct SshSpec {
  std::string id;
  std::vector<std::string> paths;  // one socket, or key files
};

Result<std::unique_ptr<AgentSource>> open_agents(const std::vector<SshSpec>& specs,
                                                 const Cancel& cancel);

}  // namespace mybuild::secrets
