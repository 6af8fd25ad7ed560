// SPDX-License-Identifier: Apache-2.0
// What the PATH of a build and the values of --build-context may be, as far as the text tells.
// Pure, thread-safe.
#pragma once

#include "frontend/dockerfile/main_context.h"
#include "snapshotter/base/bytes.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mybuild::builder {

using frontend::kContextFile;

/// Files of other places. A URL of a file is taken for what it leads to when it is fetched: an
/// archive, or else a Dockerfile.
using RemoteContext = std::variant<solver::GitSource, solver::HttpSource>;
/// nullopt: no URL, so a directory. An error: a git URL with something wrong in it.
Result<std::optional<RemoteContext>> parse_remote_context(std::string_view text);

struct DirectoryContext {
  std::string path;
};
using NamedContextSpec = std::variant<DirectoryContext, solver::GitSource, solver::HttpSource,
                                      frontend::ImageContext, frontend::LayoutContext>;
Result<NamedContextSpec> parse_named_context(const std::string& value);

/// Whether these first bytes (1 KiB is enough) are those of an archive that could be a context: a
/// tar, or anything compressed.
bool looks_like_archive(ByteSpan header);

}  // namespace mybuild::builder
