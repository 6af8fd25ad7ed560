// SPDX-License-Identifier: Apache-2.0
// "Did you mean …?": the closest of some names. Pure; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mybuild::frontend {

/// The name that is closest to what was said, or "" when none is close or it is what was said.
/// Upper and lower case count as equal.
std::string closest(std::string_view said, std::span<const std::string> known);
/// "did you mean X?", or "" when closest() knows none.
std::string did_you_mean(std::string_view said, std::span<const std::string> known);

}  // namespace mybuild::frontend
