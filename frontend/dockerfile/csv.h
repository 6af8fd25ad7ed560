// SPDX-License-Identifier: Apache-2.0
// The comma-separated fields of a flag's value. Pure; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// One record of RFC 4180: fields between commas, quoted as a whole when they hold commas or quotes
/// ("" for "). `flag` is for the error.
Result<std::vector<std::string>> split_csv(std::string_view text, std::string_view flag);

}  // namespace mybuild::frontend
