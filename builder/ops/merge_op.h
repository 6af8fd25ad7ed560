// SPDX-License-Identifier: Apache-2.0
// Layers put on top of one another (COPY --link): the result names those of all inputs, nothing is
// read or written. Thread-safe.
#pragma once

#include "solver/op.h"

#include <memory>

namespace mybuild::ops {

/// `vertex` must outlive the op.
std::unique_ptr<solver::Op> make_merge_op(const solver::Vertex& vertex);

}  // namespace mybuild::ops
