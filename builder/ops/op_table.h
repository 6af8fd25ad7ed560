// SPDX-License-Identifier: Apache-2.0
// The op of every vertex of a graph. The graph and `deps` must outlive the table.
#pragma once

#include "builder/ops/deps.h"
#include "solver/scheduler.h"

namespace mybuild::ops {

solver::OpTable make_op_table(const solver::Graph& graph, const OpDeps& deps);

}  // namespace mybuild::ops
