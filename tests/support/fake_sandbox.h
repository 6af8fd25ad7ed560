// SPDX-License-Identifier: Apache-2.0
// A Sandbox that runs a function instead of a command: it sees the plan and the streams, and says
// how the command ended.
#pragma once

#include "builder/sandbox/sandbox.h"

#include <functional>
#include <utility>

namespace mybuild::testing_support {

class FakeSandbox final : public sandbox::Sandbox {
 public:
  using Command = std::function<Result<sandbox::SandboxExit>(const sandbox::SandboxPlan&,
                                                             sandbox::Stdio&, int signals)>;
  explicit FakeSandbox(Command command) : command_(std::move(command)) {}

  Result<sandbox::SandboxExit> run(const sandbox::SandboxPlan& plan, sandbox::Stdio stdio,
                                   const Cancel& cancel, const std::vector<int>&,
                                   int signals) override {
    TRY(cancel.check());
    return command_(plan, stdio, signals);
  }

 private:
  Command command_;
};

inline sandbox::SandboxExit exited(int code, int signal = 0) {
  sandbox::SandboxExit ended;
  ended.status = {.code = code, .signal = signal};
  return ended;
}

}  // namespace mybuild::testing_support
