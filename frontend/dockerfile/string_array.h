// SPDX-License-Identifier: Apache-2.0
// The JSON form of arguments, ["a", "b"], as Go decodes it: bytes that are not UTF-8 and halves of
// surrogate pairs become U+FFFD, where a strict reader would call the text malformed. Pure;
// thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// The strings of a JSON array. nullopt: it is none; an error: it is one that holds something else.
Result<std::optional<std::vector<std::string>>> parse_string_array(std::string_view text);

}  // namespace mybuild::frontend
