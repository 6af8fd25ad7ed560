// SPDX-License-Identifier: Apache-2.0
// SshAgent: something that lists public keys and signs, in terms of the ssh agent protocol
// (draft-miller-ssh-agent). AgentSource: the agents of a build by id. Thread-safe.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::secrets {

class SshAgent {
 public:
  virtual ~SshAgent() = default;
  /// The reply to a request, both without the length that stands in front. Waits, maybe for a
  /// person at the agent, until `cancel`.
  virtual Result<std::string> ask(std::string_view request, const Cancel& cancel) = 0;
};

class AgentSource {
 public:
  virtual ~AgentSource() = default;
  /// Null when nobody gave an agent of that id. Lives as long as the source.
  virtual SshAgent* find(const std::string& id) = 0;
};

}  // namespace mybuild::secrets
