// SPDX-License-Identifier: Apache-2.0
// `build --call`: prints what a Dockerfile says about itself. Thread-compatible.
#pragma once

#include "cmd/mybuild/cli/build_options.h"

namespace mybuild::cli {

/// The exit status: 1 if a check finds something or no answer can be given.
int answer_verb(const BuildOptions& options);

}  // namespace mybuild::cli
