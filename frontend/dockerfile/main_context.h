// SPDX-License-Identifier: Apache-2.0
// Contexts as vertices, and what they are called. Pure but for the builder; thread-compatible.
#pragma once

#include "frontend/frontend.h"
#include "solver/graph/graph.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::frontend {

/// What a file is called that came as a whole context.
inline constexpr std::string_view kContextFile = "context";

/// The tree that COPY copies from. Whoever builds may solve this vertex alone first, to read the
/// Dockerfile from it: the build's own vertex is equal.
solver::Edge lower_main_context(solver::GraphBuilder& graph, const MainContext& context,
                                const oci::Platform& platform);

/// BUILDKIT_CONTEXT_KEEP_GIT_DIR: a main context that is a repository keeps its .git.
bool keeps_git_dir(const std::map<std::string, std::string>& build_args);

/// What a named context is as a source; nullopt for images.
std::optional<solver::SourceOp> directory_of(const std::string& name, const NamedContext& context);
/// The name of its vertex.
std::string context_name(const std::string& name, const solver::SourceOp& source);

/// Who can say which time a context has; nullopt: it has none.
std::optional<solver::SourceOp> timed_source(const MainContext& context);
std::optional<solver::SourceOp> timed_source(const NamedContext& context);

}  // namespace mybuild::frontend
