// SPDX-License-Identifier: Apache-2.0
// Which frontend a file asks for: "# syntax=docker/dockerfile:1" means ours, any other is refused
// by name. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <map>
#include <string>
#include <string_view>

namespace mybuild::frontend {

class SourceMap;

/// Looks at BUILDKIT_SYNTAX among the build arguments, then at the head of the file.
Status check_syntax(std::string_view text, const std::map<std::string, std::string>& build_args,
                    const SourceMap& source);

}  // namespace mybuild::frontend
