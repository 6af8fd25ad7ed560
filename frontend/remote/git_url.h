// SPDX-License-Identifier: Apache-2.0
// The names that BuildKit gives to git repositories, in ADD and as contexts:
// "https://host/path.git#ref:subdir", "git@host:path?branch=b&subdir=d", … Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"
#include "solver/graph/op_spec.h"

#include <optional>
#include <string>
#include <string_view>

namespace mybuild::frontend {

struct GitUrl {
  solver::GitSource source;
  std::optional<bool> keep_git_dir;  // said by the URL itself; `source` has it, too
};

/// Who wrote the text: the person who builds may name repositories on this machine.
enum class UrlOrigin { CommandLine, Dockerfile };

/// nullopt: no git URL at all. An error: one, with something wrong in it. `known_git`: an http URL
/// is one, whatever it ends in (ADD --keep-git-dir). What comes out holds nothing that git, ssh or
/// a shell on the other side could take for an option, a refspec or a command.
Result<std::optional<GitUrl>> parse_git_url(std::string_view text, UrlOrigin origin,
                                            bool known_git = false);

/// The commit that --checksum or a URL asks for: hex digits, 64 at most; in lower case.
Result<std::string> parse_git_checksum(std::string_view text);

/// For people: "remote#ref:subdir", without user and password.
std::string shown_git(const solver::GitSource& source);

}  // namespace mybuild::frontend
