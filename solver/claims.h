// SPDX-License-Identifier: Apache-2.0
// StepClaims: who runs a step now, among all builds that share the records. A step that is not
// found is claimed before it runs; who had to wait looks for its record again. Claims of steps that
// end without a record (a failure, a killed process) are given up, too: then the next one runs it.
// Thread-safe.
#pragma once

#include "snapshotter/base/lanes.h"
#include "snapshotter/base/result.h"
#include "solver/cache_index.h"

#include <functional>
#include <memory>

namespace mybuild {
class Cancel;
}  // namespace mybuild

namespace mybuild::solver {

/// By both keys: one says how long it took before, the other what exactly is to be done.
struct ClaimedStep {
  DefinitionKey definition;
  ContentKey content;
};

/// Given up with the object.
class StepClaim {
 public:
  virtual ~StepClaim() = default;
};

class StepClaims {
 public:
  virtual ~StepClaims() = default;
  /// Called on a thread of `lane`, which does other work while this one waits. `on_wait` is called
  /// first if somebody else has the claim. `cancel` ends the wait; its reason is the error then.
  virtual Result<std::unique_ptr<StepClaim>> claim(const ClaimedStep& step, Lane lane,
                                                   const std::function<void()>& on_wait,
                                                   const Cancel& cancel) = 0;
};

}  // namespace mybuild::solver
