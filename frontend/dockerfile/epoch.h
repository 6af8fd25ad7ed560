// SPDX-License-Identifier: Apache-2.0
// SOURCE_DATE_EPOCH: what the value of the build argument, or of a global ARG, means. Pure,
// thread-safe.
#pragma once

#include "frontend/dockerfile/env_list.h"
#include "frontend/dockerfile/instructions.h"
#include "frontend/frontend.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace mybuild::frontend {

inline constexpr std::string_view kSourceDateEpoch = "SOURCE_DATE_EPOCH";

/// Nothing, seconds since 1970, or a source that has a time of its own.
using Epoch = std::variant<std::monostate, std::int64_t, solver::SourceOp>;

/// What a value can name.
struct EpochScope {
  const FrontendInput& input;
  const NamedContext* context = nullptr;  // the one of that name
  const Script& script;
  const EnvList& global_args;
};

/// Seconds, "context", a named context or a stage that is nothing but a remote ADD. Nothing for ""
/// and for directories and images, which have no time.
Result<Epoch> read_epoch(const std::string& value, const EpochScope& scope);
/// False for a time that no image can have: before 1970, after the year 9999.
bool is_epoch(std::int64_t seconds);

}  // namespace mybuild::frontend
