// SPDX-License-Identifier: Apache-2.0
// Why a path that a step names is not there: an ignore file keeps it out, or it is called a little
// differently, or lies elsewhere. Only asked for after a failure. Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "solver/op.h"

#include <string>
#include <vector>

namespace mybuild::ops {

/// `error` (NotFound, of a selection) in docker's words and with a hint about the first of
/// `sources` that `input` does not have; any other error stays as it is.
Error explain_missing(Error error, const solver::ResultPtr& input,
                      const std::vector<std::string>& sources, const OpDeps& deps);

}  // namespace mybuild::ops
