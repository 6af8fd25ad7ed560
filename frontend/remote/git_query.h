// SPDX-License-Identifier: Apache-2.0
// What fragment and query of a git URL say. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace mybuild::frontend {

struct GitOptions {
  std::string ref;       // "" = the remote's HEAD
  std::string subdir;    // clean and relative
  std::string checksum;  // hex
  std::optional<bool> keep_git_dir;
  std::optional<bool> submodules;
};

/// `fragment`: "ref:subdir", decoded. `query`: "key=value&…", as it was written. Errors say what is
/// wrong, not in which URL.
Result<GitOptions> parse_git_options(std::string_view fragment, std::string_view query);

}  // namespace mybuild::frontend
