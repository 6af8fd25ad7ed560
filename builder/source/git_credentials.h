// SPDX-License-Identifier: Apache-2.0
// Who a build is to a git server: secrets for http and https, host keys and an agent for ssh.
// Thread-safe.
#pragma once

#include "builder/git/remote.h"
#include "builder/secrets/agent_proxy.h"
#include "builder/secrets/secret_source.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::source {

/// The Authorization header for the remote: of the secrets GIT_AUTH_HEADER.<host>,
/// GIT_AUTH_TOKEN.<host>, GIT_AUTH_HEADER, GIT_AUTH_TOKEN the first that was given, else what the
/// URL itself says, else "".
Result<std::string> git_authorization(const git::Remote& remote, secrets::SecretSource* secrets,
                                      const Cancel& cancel);

/// The files in which ssh keeps the keys of hosts: this user's, then the machine's.
std::vector<std::string> known_hosts_files();

/// An agent behind a socket that the helper gives a name. Nothing when the remote is none of ssh,
/// or there is no agent.
struct GitAgent {
  Fd socket;
  std::unique_ptr<secrets::AgentProxy> proxy;
};
Result<GitAgent> serve_git_agent(const git::Remote& remote, secrets::AgentSource* agents);

}  // namespace mybuild::source
