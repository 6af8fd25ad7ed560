// SPDX-License-Identifier: Apache-2.0
// RUN --mount, but for its credentials: from what the Dockerfile asks for to entries of the sandbox
// plan, and the locks and directories that must live as long as the command runs.
// Thread-compatible.
#pragma once

#include "builder/ops/selection.h"
#include "builder/ops/selection_log.h"
#include "builder/ops/trees.h"
#include "builder/sandbox/plan.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "solver/graph/op_spec.h"
#include "solver/op.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::ops {

/// What the mounts of one command hold while it runs.
struct PreparedMounts {
  std::vector<sandbox::PlanMount> mounts;
  std::vector<std::unique_ptr<snapshotter::Active>> roots;  // of bind mounts
  std::vector<FileLock> locks;                              // of cache mounts
};

/// What bind mounts show of contexts: selected and hashed once, so that the command sees the very
/// files of its key. Thread-safe.
class BoundContexts {
 public:
  explicit BoundContexts(const OpDeps& deps) : deps_(deps) {}
  struct Bound {
    View view;
    std::vector<SelectedSource> selected;
  };
  Result<std::shared_ptr<const Bound>> open(const std::string& source,
                                            const solver::ResultPtr& context);
  void release();

 private:
  const OpDeps& deps_;
  Guarded<
      std::map<std::pair<const solver::ResultHandle*, std::string>, std::shared_ptr<const Bound>>>
      bound_;
};

/// `vertex`: with an ExecOp. `scratch`: a directory for upper layers of bind mounts. Waits for
/// cache mounts that another step holds locked.
Result<PreparedMounts> prepare_mounts(const solver::Vertex& vertex,
                                      const std::vector<solver::ResultPtr>& inputs,
                                      const std::string& scratch, const OpDeps& deps,
                                      BoundContexts& contexts, const Cancel& cancel);

/// Outer mounts before those inside them, whatever the order in the Dockerfile.
void sort_mounts(std::vector<sandbox::PlanMount>& mounts);

/// The part of an input that a bind mount shows, for the step's content key: hashed.
Result<SharedSelection> select_bind(const std::string& source, const solver::ResultPtr& input,
                                    const OpDeps& deps, BoundContexts& contexts);

}  // namespace mybuild::ops
