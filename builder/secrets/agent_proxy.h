// SPDX-License-Identifier: Apache-2.0
// AgentProxy: between the programs of a step and the agents of its user. It speaks nothing but the
// agent protocol, whole messages of bounded size, and lets only listing and signing through: a step
// cannot add, remove or lock keys, nor use a forwarded socket for anything else. One thread per
// proxy, ended by the destructor; requests are answered one after the other.
#pragma once

#include "builder/secrets/ssh_agent.h"
#include "snapshotter/base/fd.h"

#include <memory>
#include <vector>

namespace mybuild::secrets {

class AgentProxy {
 public:
  struct Served {
    Fd socket;  // of open_socket()
    SshAgent* agent = nullptr;
  };
  virtual ~AgentProxy() = default;

  /// A socket for which somebody else, who holds a copy, finds a name and says listen().
  static Result<Fd> open_socket();
  static Result<std::unique_ptr<AgentProxy>> start(std::vector<Served> served);
};

}  // namespace mybuild::secrets
