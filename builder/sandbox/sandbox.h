// SPDX-License-Identifier: Apache-2.0
// Sandbox: runs one plan to its end. The launcher spawns the helper process (mybuild-sandbox),
// which makes the namespaces; the builder itself never forks, unshares or mounts. Thread-safe;
// run() blocks and belongs on Lane::Exec.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/child.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::sandbox {

/// Where the command's streams go. Either descriptors that it gets as they are, or a function that
/// is called with what it prints (stdin is then /dev/null).
struct Stdio {
  std::function<void(int stream, std::string_view bytes)>
      on_output;  // 1 stdout, 2 stderr; called from run()'s thread
  Fd in;
  Fd out;
  Fd err;
};

/// What the command and all it waited for took.
struct ResourceUsage {
  std::chrono::microseconds user_time{0};
  std::chrono::microseconds system_time{0};
  std::uint64_t max_rss = 0;  // bytes, of the largest process
};

struct SandboxExit {
  ExitStatus status;
  ResourceUsage usage;
  bool oom_killed = false;
  /// True when the command was never started because argv[0] is not there (127) or cannot be run
  /// (126).
  bool not_found = false;
  bool not_executable = false;
  std::string start_error;  // why, for people
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  /// An Error means the sandbox itself could not be set up (the stage and the kernel's reason are
  /// in the message) or the run was cancelled; a command that ran and failed is a SandboxExit.
  /// `fds`: descriptors that plan mounts refer to, passed to the helper as 3 + index. `signals`: a
  /// descriptor from which bytes are read, each a signal number for the command; -1 for none.
  virtual Result<SandboxExit> run(const SandboxPlan& plan, Stdio stdio, const Cancel& cancel,
                                  const std::vector<int>& fds = {}, int signals = -1) = 0;
};

/// `helper`: path of the mybuild-sandbox binary.
std::unique_ptr<Sandbox> make_sandbox(std::string helper);
/// The helper binary beside the running one, or in ../libexec/mybuild.
Result<std::string> find_helper();

}  // namespace mybuild::sandbox
