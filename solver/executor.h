// SPDX-License-Identifier: Apache-2.0
// Executor: where a step runs. To it a step is a function from a definition and the identities of
// its inputs to an output: no path, no process and no fact about this machine is part of either, so
// a step may run elsewhere. Called from lane threads, several steps at once: thread-safe.
#pragma once

#include "solver/op.h"

#include <string>
#include <vector>

namespace mybuild::solver {

struct StepWork {
  std::string definition;          // Op::definition()
  std::vector<OutputId> inputs;    // what they are; zero for a context, which has no id as a whole
  Op& op;                          // and how it is done here,
  std::vector<ResultPtr> results;  // on these
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual Result<Output> execute(const StepWork& work, const Cancel& cancel) = 0;
};

/// In this process, on the calling thread.
class LocalExecutor final : public Executor {
 public:
  Result<Output> execute(const StepWork& work, const Cancel& cancel) override {
    return work.op.exec(work.results, work.inputs, cancel);
  }
};

}  // namespace mybuild::solver
