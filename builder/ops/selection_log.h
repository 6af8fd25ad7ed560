// SPDX-License-Identifier: Apache-2.0
// SelectionLog: who wants to know which files a step took of its inputs. It hears so only of steps
// that run, by the digest that stands for the files in the step's keys. Thread-safe.
#pragma once

#include "builder/ops/selection.h"

#include <mutex>
#include <utility>
#include <vector>

namespace mybuild::ops {

class SelectionLog {
 public:
  virtual ~SelectionLog() = default;
  /// The contents of the files are hashed. Must not fail a step.
  virtual void selected(const Digest& digest, const std::vector<SelectedSource>& sources) = 0;
};

/// What one step has selected, kept until it is known whether it runs. Thread-safe.
class NotedSelections {
 public:
  /// `log` may be null: then nothing is kept.
  explicit NotedSelections(SelectionLog* log) : log_(log) {}

  void note(const Digest& digest, std::vector<SelectedSource> sources) {
    if (log_ != nullptr) {
      const std::lock_guard lock(mutex_);
      noted_.emplace_back(digest, std::move(sources));
    }
  }
  /// The step runs.
  void report() {
    std::vector<std::pair<Digest, std::vector<SelectedSource>>> noted;
    {
      const std::lock_guard lock(mutex_);
      noted.swap(noted_);
    }
    for (const auto& [digest, sources] : noted) {
      log_->selected(digest, sources);
    }
  }

 private:
  SelectionLog* log_;
  std::mutex mutex_;
  std::vector<std::pair<Digest, std::vector<SelectedSource>>> noted_;
};

}  // namespace mybuild::ops
