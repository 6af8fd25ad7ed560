// SPDX-License-Identifier: Apache-2.0
// Session: what one run of the helper has to reach servers with: credentials, host keys, an agent's
// socket, and the builder that listens. Thread-compatible.
#pragma once

#include "builder/git/helper/known_hosts.h"
#include "builder/git/helper/reporter.h"
#include "builder/git/remote.h"

#include <string>

namespace mybuild::git {

class Session {
 public:
  /// Makes the agent's socket known in the scratch directory, and the user's known hosts.
  static Result<Session> open(const HelperRequest& request, Reporter& reporter);

  const HelperRequest& request() const { return *request_; }
  Reporter& reporter() { return *reporter_; }
  const KnownHosts& known_hosts() const { return known_hosts_; }
  /// The header's value for this remote; "" for every other origin than the request's.
  std::string authorization(const Remote& remote) const;
  /// "" when nobody gave an agent.
  const std::string& agent() const { return agent_; }
  std::string home() const { return request_->scratch; }
  /// A copy of the user's known hosts, to which ssh adds what it accepted.
  std::string known_hosts_file() const { return request_->scratch + "/.ssh/known_hosts"; }

  /// Accepts a host's key or says why not; an unknown one is accepted with a warning, once.
  Status judge_host_key(const Remote& remote, std::string_view key);

 private:
  const HelperRequest* request_ = nullptr;
  Reporter* reporter_ = nullptr;
  std::string origin_;
  KnownHosts known_hosts_;
  std::string agent_;
};

/// An ssh remote without an agent cannot work; better said before the server says it.
Status check_agent(const Session& session, const Remote& remote);

}  // namespace mybuild::git
