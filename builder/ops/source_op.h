// SPDX-License-Identifier: Apache-2.0
// Sources: a resolved base image as a stack of layers (its bytes are fetched when a step needs
// files), a local directory read in place, a file behind a URL, a commit. Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "solver/op.h"

#include <memory>

namespace mybuild::ops {

std::unique_ptr<solver::Op> make_source_op(const solver::Vertex& vertex, const OpDeps& deps);

}  // namespace mybuild::ops
