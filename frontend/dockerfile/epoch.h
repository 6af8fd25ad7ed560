// SPDX-License-Identifier: Apache-2.0
// SOURCE_DATE_EPOCH: what the value of the build argument, or of a global ARG, means. Pure,
// thread-safe.
#pragma once

#include "frontend/dockerfile/env_list.h"
#include "frontend/dockerfile/instructions.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mybuild::frontend {

inline constexpr std::string_view kSourceDateEpoch = "SOURCE_DATE_EPOCH";

/// Seconds since 1970, or the name of what has a time of its own: "context", a named context
/// (`is_context`), a stage that is nothing but a remote ADD. Nullopt for "" and for directories and
/// images, which have none.
Result<std::optional<std::int64_t>> read_epoch(const std::string& value, bool is_context,
                                               const Script& script, const EnvList& global_args);

}  // namespace mybuild::frontend
