// SPDX-License-Identifier: Apache-2.0
// RUN: a command in the sandbox on a writable root over the parent's layers; what it changed
// becomes a layer. Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "solver/op.h"

#include <memory>
#include <string>

namespace mybuild::ops {

/// Op::definition() of a command: the op, the platform and how it is isolated.
std::string exec_definition(const solver::Vertex& vertex);

std::unique_ptr<solver::Op> make_exec_op(const solver::Vertex& vertex, const OpDeps& deps);

}  // namespace mybuild::ops
