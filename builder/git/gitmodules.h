// SPDX-License-Identifier: Apache-2.0
// .gitmodules: where the repositories are whose commits a tree names. Git's config syntax, without
// includes, which would read files of this machine. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <map>
#include <string>
#include <string_view>

namespace mybuild::git {

struct Submodule {
  std::string name;
  std::string path;
  std::string url;
  std::string update;  // "none": it stays an empty directory
};

/// By path. Names and paths that could lead out of the tree are refused.
Result<std::map<std::string, Submodule>> parse_gitmodules(std::string_view text);

}  // namespace mybuild::git
