// SPDX-License-Identifier: Apache-2.0
// The value of --chmod: octal up to 7777, or symbolic as of chmod(1) with 'X'. Pure; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string_view>

namespace mybuild::frontend {

/// Fails when it is neither.
Status check_file_mode(std::string_view text);

}  // namespace mybuild::frontend
