// SPDX-License-Identifier: Apache-2.0
// explain(): why each step of a build ran or did not, as seen from the builds before it. A pure
// function of what was recorded. Thread-compatible.
#pragma once

#include "builder/explain/explanation.h"
#include "builder/explain/manifest.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::explain {

struct RecordedBuild {
  BuildSummary summary;
  std::string outcomes;          // a letter of StepState per step
  std::vector<StepFacts> steps;  // none: it did not come so far, or they are no longer kept
};

/// Earlier builds and what steps selected, read when they are needed.
class Past {
 public:
  virtual ~Past() = default;
  /// The builds before the one that is explained, the newest is 0; null behind the oldest one.
  virtual const RecordedBuild* build(std::size_t age) = 0;
  /// Null when it was not kept.
  virtual const Manifest* manifest(const std::string& selection) = 0;
};

Explanation explain(const RecordedBuild& build, Past& past);

}  // namespace mybuild::explain
