// SPDX-License-Identifier: Apache-2.0
// "Did you mean …?": the closest of some names. Pure; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mybuild::frontend {

/// "did you mean X?", or "" when nothing is close or one of them is what was said. Upper and lower
/// case count as equal.
std::string did_you_mean(std::string_view said, std::span<const std::string> known);

}  // namespace mybuild::frontend
