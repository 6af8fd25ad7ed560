// SPDX-License-Identifier: Apache-2.0
// RUN --mount=type=cache: directories that outlive builds, found by what the mount says. One id
// with another owner or mode, or with other files to start from, is another cache; who makes one
// beside others is warned. A cache appears with one rename, complete with the files it starts from.
// Thread-compatible; the locks hold between processes.
#pragma once

#include "builder/caches/record.h"
#include "builder/ops/deps.h"
#include "builder/sandbox/plan.h"
#include "snapshotter/base/file.h"
#include "solver/graph/op_spec.h"
#include "solver/op.h"

#include <map>
#include <string>
#include <vector>

namespace mybuild::ops {

/// The cache mounts of one command.
class CacheMounts {
 public:
  CacheMounts(const solver::Vertex& vertex, const OpDeps& deps) : vertex_(vertex), deps_(deps) {}

  /// `start`: the tree of from=, null without one. Nothing is locked yet.
  Status add(const solver::ExecMount& mount, const solver::ResultPtr& start);
  /// Makes what is missing and takes the locks, which are given up with `locks`; waits for steps
  /// that hold what is `sharing=locked`. All commands take them in one order, and one cache once,
  /// so none waits for itself or in a circle.
  Result<std::vector<sandbox::PlanMount>> open(std::vector<FileLock>& locks, const Cancel& cancel);

 private:
  struct Wanted {
    caches::CacheIdentity identity;
    solver::CacheSharing sharing = solver::CacheSharing::Shared;
    solver::CacheMount cache;
    solver::ResultPtr start;
    std::vector<sandbox::PlanMount> mounts;
  };

  Result<std::string> open_one(const std::string& base, const Wanted& wanted,
                               std::vector<FileLock>& locks, const Cancel& cancel);
  Result<FileLock> lock_slot(const std::string& path, const Wanted& wanted, const Cancel& cancel);
  Status make(const std::string& path, const Wanted& wanted, const Cancel& cancel);
  void warn_of_namesakes(const Wanted& wanted);
  void say(const std::string& line);

  const solver::Vertex& vertex_;
  const OpDeps& deps_;
  std::map<std::string, Wanted> wanted_;  // by directory
};

}  // namespace mybuild::ops
