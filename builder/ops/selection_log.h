// SPDX-License-Identifier: Apache-2.0
// SelectionLog: who wants to know which files a step took of its inputs. It hears so only of steps
// that run, by the digest that stands for the files in the step's keys. Thread-safe.
#pragma once

#include "builder/ops/selection.h"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace mybuild::ops {

class SelectionLog {
 public:
  virtual ~SelectionLog() = default;
  /// The contents of the files are hashed. Must not fail a step.
  virtual void selected(const Digest& digest, const SourceRefs& sources) = 0;
};

/// A selection that its op goes on using.
using SharedSelection = std::shared_ptr<const std::vector<SelectedSource>>;

/// What one step has selected, kept until it is known whether it runs. Thread-safe.
class NotedSelections {
 public:
  /// `log` may be null: then nothing is kept.
  explicit NotedSelections(SelectionLog* log) : log_(log) {}

  /// `digest` stands for all `parts` together.
  void note(const Digest& digest, std::vector<SharedSelection> parts) {
    if (log_ != nullptr) {
      const std::lock_guard lock(mutex_);
      noted_.emplace_back(digest, std::move(parts));
    }
  }
  /// The step runs.
  void report() {
    std::vector<std::pair<Digest, std::vector<SharedSelection>>> noted;
    {
      const std::lock_guard lock(mutex_);
      noted.swap(noted_);
    }
    for (const auto& [digest, parts] : noted) {
      SourceRefs all;
      for (const SharedSelection& part : parts) {
        all.insert(all.end(), part->begin(), part->end());
      }
      log_->selected(digest, all);
    }
  }

 private:
  SelectionLog* log_;
  std::mutex mutex_;
  std::vector<std::pair<Digest, std::vector<SharedSelection>>> noted_;
};

}  // namespace mybuild::ops
