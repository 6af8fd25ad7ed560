// SPDX-License-Identifier: Apache-2.0
// History: what builds found, kept in the store so that later ones can be explained. What cannot be
// kept is left out: it never fails a build. Thread-safe.
#pragma once

#include "builder/explain/explanation.h"
#include "builder/explain/observe.h"
#include "builder/ops/selection_log.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/build_tables.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::explain {

/// A build that is over, as the history keeps it.
struct FinishedBuild {
  Subject subject;
  Time started{};
  std::string image;                   // its id; "" = none was made
  std::string error;                   // "" = it went well
  std::string_view dockerfile;         // its text
  const Observed* observed = nullptr;  // null: it failed before its steps were known
};

class History : public ops::SelectionLog {
 public:
  /// A build that runs nothing and repeats the newest one is counted, not kept again.
  virtual void add(const FinishedBuild& build) = 0;
  /// `id`: of a build, or how it begins; "" is the one that this process added last, else the
  /// newest of the store. NotFound names the recent ones.
  virtual Result<Explanation> explain(const std::string& id) = 0;
  virtual Result<std::vector<BuildSummary>> list() = 0;  // newest first
};

/// The arguments outlive the history.
std::unique_ptr<History> make_history(snapshotter::BuildTables& tables, const Clock& clock);

}  // namespace mybuild::explain
