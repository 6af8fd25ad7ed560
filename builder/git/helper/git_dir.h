// SPDX-License-Identifier: Apache-2.0
// The .git of a checkout that keeps one: the commit without its history, its tree, the tag or
// branch it was asked for by, and an index, so that rev-parse, log, status and describe work. Equal
// inputs give equal bytes. Thread-compatible.
#pragma once

#include "builder/git/helper/libgit2.h"
#include "builder/git/helper/reporter.h"

#include <cstdint>
#include <string>

namespace mybuild::git {

struct GitDir {
  git_repository* repository = nullptr;
  git_oid object{};      // commit or annotated tag
  std::string ref_name;  // "" or "HEAD": HEAD alone leads to the commit
  std::string url;       // of origin
  std::int64_t time = 0;
};

/// Makes `directory`/.git.
Status write_git_dir(const GitDir& git_dir, const std::string& directory, Reporter& reporter);

}  // namespace mybuild::git
