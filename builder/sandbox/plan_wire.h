// SPDX-License-Identifier: Apache-2.0
// The form in which a plan goes from the builder to the helper of the same build, and on: as the
// values lie in memory, since JSON for a root of fifty layers takes as long as mounting it.
// Thread-safe.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::sandbox {

std::string pack(const SandboxPlan& plan);
/// InvalidArgument when it is no plan, has no command, or a text with a zero byte, which the kernel
/// would cut off there.
Result<SandboxPlan> unpack(std::string_view bytes);

}  // namespace mybuild::sandbox
