// SPDX-License-Identifier: Apache-2.0
// Runs mybuild-git for one request. Everything that reads what a git server or a repository says
// happens there: it may crash, hang or be killed, and is an error then. Thread-safe.
#pragma once

#include "builder/git/protocol.h"
#include "snapshotter/base/cancel.h"

#include <chrono>
#include <functional>
#include <string>

namespace mybuild::git {

/// So long may a server say nothing.
inline constexpr std::chrono::milliseconds kStall{60'000};

struct HelperCall {
  std::string program;  // path of mybuild-git
  HelperRequest request;
  int agent_socket = -1;  // as secrets::AgentProxy::open_socket() makes it
  std::chrono::milliseconds stall = kStall;
  std::function<void(const HelperProgress&)> on_progress;
  std::function<void(const std::string&)> on_warning;
};

/// Waits for the result. On cancel, on an error and when nothing came for `stall` the helper and
/// what it started are killed at once.
Result<HelperResult> call_helper(const HelperCall& call, const Cancel& cancel);

}  // namespace mybuild::git
