// SPDX-License-Identifier: Apache-2.0
// What is different between two steps, and which of the steps of earlier builds is the one to
// compare with. Pure functions, thread-safe.
#pragma once

#include "builder/explain/explanation.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::explain {

/// By kind, in the order of FactKind; none: the facts are equal.
std::vector<Difference> differences(const StepFacts& then, const StepFacts& now);

/// "[build 2/5] RUN make" in its parts.
struct StepName {
  std::string stage;  // "build", with the platform in front if there are several; may be empty
  int number = 0;     // 0: not counted
  std::string verb;   // "RUN"
  std::string text;   // "RUN make"
};
StepName parse_name(std::string_view name);

/// An earlier step as a candidate: whether it is of the same subject, and of which build.
struct Candidate {
  bool same_subject = false;
  const std::vector<StepFacts>* build = nullptr;
  std::uint32_t step = 0;
};

/// How near an earlier step is; less is nearer. nullopt: it is another step altogether. `of` is the
/// build of the step `now`.
std::optional<int> distance(const Candidate& then, const StepFacts& now,
                            const std::vector<StepFacts>& of);

}  // namespace mybuild::explain
