// SPDX-License-Identifier: Apache-2.0
// RUN: a command in the sandbox on a writable root over the parent's layers; what it changed
// becomes a layer. Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "solver/op.h"

#include <memory>

namespace mybuild::ops {

std::unique_ptr<solver::Op> make_exec_op(const solver::Vertex& vertex, const OpDeps& deps);

}  // namespace mybuild::ops
