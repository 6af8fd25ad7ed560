// SPDX-License-Identifier: Apache-2.0
// Engine: the composition root. It owns the store, the lanes and the services over one state
// directory and offers what the command line can ask for. Thread-safe; one per process.
#pragma once

#include "builder/request.h"
#include "builder/run/container.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"
#include "snapshotter/metadata.h"
#include "solver/progress.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::builder {

struct EngineOptions {
  std::string root;    // state directory, made if missing
  std::string helper;  // mybuild-sandbox; empty = beside the running binary
  std::size_t jobs = 0;
};

/// --root, else $MYBUILD_ROOT, else /var/lib/mybuild for root and $XDG_DATA_HOME/mybuild
/// (~/.local/share) for others.
std::string default_root();

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Fails with the first vertex's error (its place in the Dockerfile attached) or Cancelled.
  /// `cancel` belongs to this build: a failing step requests it too, so that the others stop.
  Result<BuildReport> build(const BuildRequest& request, solver::EventSink& events, Cancel& cancel);

  /// Starts `request.image` (a name or an id prefix) and waits for its end.
  Result<run::ContainerExit> run(const run::RunRequest& request, const Cancel& cancel);

  Result<std::vector<snapshotter::ImageRow>> images();
  /// By name, id or id prefix; NotFound names what was looked for.
  Result<snapshotter::ImageRow> find_image(const std::string& name_or_id);
  /// The image's config document, as stored.
  Result<std::string> image_config(const Digest& config);
  /// Removes a name, or all names by id; returns what was removed ("Untagged: …", "Deleted: …").
  /// Refused while a container runs from it.
  Result<std::vector<std::string>> remove_image(const std::string& name_or_id, bool force);

 private:
  struct Services;
  explicit Engine(std::unique_ptr<Services> services);
  std::unique_ptr<Services> services_;
};

}  // namespace mybuild::builder
