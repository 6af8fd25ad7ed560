// SPDX-License-Identifier: Apache-2.0
// What the sources of COPY and ADD name: paths of a tree, or things on other machines. Pure,
// thread-safe.
#pragma once

#include "frontend/dockerfile/instructions.h"
#include "snapshotter/base/result.h"
#include "solver/graph/op_spec.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// A URL or a git repository as a source of ADD.
struct RemoteSource {
  solver::SourceOp op;
  std::string path;  // what to copy of the source's tree, as a pattern
  bool unpack = false;
};

/// A git repository, with or without faults.
bool is_git(std::string_view source);
/// A URL or a git repository, with or without faults.
bool is_remote(std::string_view source);
/// nullopt: a path. `source` and `checksum` are expanded; "" = no checksum.
Result<std::optional<RemoteSource>> remote_source(const CopyStep& step, const std::string& source,
                                                  const std::string& checksum);
/// --checksum is for one remote source.
Status check_checksum(const CopyStep& step, const std::vector<std::string>& sources,
                      const std::string& checksum);
/// Sources are paths from the root of their tree; the pivot "/./" of --parents stays.
std::string source_path(const std::string& source, bool parents);
/// A pattern that matches this name only.
std::string literal_pattern(const std::string& name);

}  // namespace mybuild::frontend
