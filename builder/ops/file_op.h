// SPDX-License-Identifier: Apache-2.0
// COPY, ADD and WORKDIR: file actions on a tree, planned as one list and realised as one layer.
// Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "solver/op.h"

#include <memory>

namespace mybuild::ops {

std::unique_ptr<solver::Op> make_file_op(const solver::Vertex& vertex, const OpDeps& deps);

}  // namespace mybuild::ops
