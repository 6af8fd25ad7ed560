// SPDX-License-Identifier: Apache-2.0
// GitSources: commits as trees (ADD, contexts). A bare mirror per remote lives in the store; a
// build asks the remote what a name means now, fetches what the mirror lacks, and checks a commit
// out once. All that speaks git runs in the helper program mybuild-git. Within a build each name is
// asked once. Thread-safe, and safe between processes.
#pragma once

#include "builder/git/helper_process.h"
#include "builder/secrets/secret_source.h"
#include "builder/secrets/ssh_agent.h"
#include "builder/source/source_tree.h"
#include "snapshotter/claims.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "solver/graph/graph.h"
#include "solver/progress.h"

#include <chrono>
#include <memory>
#include <string>

namespace mybuild::source {

struct GitSourceDeps {
  std::string root;    // the state directory: mirrors are in <root>/git
  std::string helper;  // path of mybuild-git
  snapshotter::LayerStore& layers;
  snapshotter::Metadata& metadata;
  solver::EventSink& events;
  const Clock& clock;
  secrets::SecretSource* secrets = nullptr;     // GIT_AUTH_TOKEN[.host], GIT_AUTH_HEADER[.host]
  secrets::AgentSource* agents = nullptr;       // "default" for ssh
  const snapshotter::Claims* claims = nullptr;  // null: nobody else checks out into this store
  // For tests: how long a server may say nothing, and whether an installed git program is used.
  std::chrono::milliseconds stall = git::kStall;
  bool use_git_program = true;
};

class GitSources {
 public:
  virtual ~GitSources() = default;
  /// What the source is now. Only the name is asked for; commits and files are fetched when the
  /// tree is first looked into, which shows its progress under `vertex`. `cancel` must outlive the
  /// tree.
  virtual Result<SourceTree> open(const solver::GitSource& source, const solver::VertexId& vertex,
                                  const Cancel& cancel) = 0;
};
std::unique_ptr<GitSources> make_git_sources(GitSourceDeps deps);

}  // namespace mybuild::source
