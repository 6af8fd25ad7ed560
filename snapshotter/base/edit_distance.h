// SPDX-License-Identifier: Apache-2.0
// How far two words are apart, for "did you mean". Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace mybuild {

/// The least number of bytes to put in, take out or replace that makes `b` of `a`. Costs the
/// product of the lengths: callers bound them.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace mybuild
