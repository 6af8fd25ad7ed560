// SPDX-License-Identifier: Apache-2.0
// What a build reads before anything is lowered: the Dockerfile, ignore files, standard input, and
// what PATH and the --build-context values mean. Thread-safe (no state).
#pragma once

#include "builder/ops/deps.h"
#include "builder/request.h"
#include "frontend/frontend.h"

#include <map>
#include <memory>
#include <string>

namespace mybuild::builder {

struct BuildInputs {
  std::string file_name;  // of the Dockerfile, for messages
  std::string path;       // of the Dockerfile, for tools that look for it
  std::string text;
  frontend::MainContext context;
  std::map<std::string, frontend::NamedContext> contexts;
  std::map<std::string, ops::LocalDirectory> directories;  // "context" and the local named ones
  std::map<std::string, source::SourceTree> trees;         // what came from standard input
};

/// Gets at files that do not lie in directories of this machine, which takes a store.
class ContextOpener {
 public:
  virtual ~ContextOpener() = default;
  /// `trees`: what LocalSources that are no directories stand for.
  virtual Result<std::shared_ptr<const snapshotter::TreeView>> open(
      const frontend::MainContext& context,
      const std::map<std::string, source::SourceTree>& trees) = 0;
  /// A directory with the file that is there, called `file_name`.
  virtual Result<std::shared_ptr<const snapshotter::TreeView>> open_url(
      const std::string& url, const std::string& file_name) = 0;
};

/// Dockerfile: the given path (in the context, if that is remote and the path relative), else
/// Dockerfile, else dockerfile in the context. Ignore file: <Dockerfile>.dockerignore beside it,
/// else .dockerignore at the root of the context; for directories only, as BuildKit does it.
Result<BuildInputs> read_build_inputs(const BuildRequest& request, ContextOpener& opener);
/// Whether `opener` is needed.
bool has_remote_inputs(const BuildRequest& request);

}  // namespace mybuild::builder
