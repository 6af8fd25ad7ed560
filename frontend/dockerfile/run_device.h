// SPDX-License-Identifier: Apache-2.0
// RUN --device=…: which devices a command wants, by their CDI names. Nothing in it is expanded.
// Pure; thread-safe.
#pragma once

#include "snapshotter/base/result.h"
#include "solver/graph/op_spec.h"

#include <string_view>

namespace mybuild::frontend {

/// "vendor.com/class[=name][,required[=bool]]", or with name= in front.
Result<solver::CdiDevice> parse_run_device(std::string_view text);

}  // namespace mybuild::frontend
