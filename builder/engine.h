// SPDX-License-Identifier: Apache-2.0
// Engine: the composition root. It owns the store, the lanes and the services over one state
// directory and offers what the command line can ask for. Thread-safe; one per process.
#pragma once

#include "builder/caches/store.h"
#include "builder/explain/explanation.h"
#include "builder/fsck.h"
#include "builder/manifest_list/push.h"
#include "builder/manifest_list/store.h"
#include "builder/pull_policy.h"
#include "builder/request.h"
#include "builder/run/container.h"
#include "builder/space/collected.h"
#include "builder/space/policy.h"
#include "builder/transfer.h"
#include "builder/usage.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/snapshotter.h"
#include "solver/progress.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::builder {

struct EngineOptions {
  std::string root;    // state directory, made if missing
  std::string helper;  // mybuild-sandbox; empty = beside the running binary
  std::size_t jobs = 0;
  std::vector<std::string> insecure_registries = {};   // "host[:port]"
  snapshotter::Warn warn = [](const std::string&) {};  // what the user should know of the store
  bool expects_network = false;  // the code for it is loaded while the store is opened
  bool expects_build = false;    // what a new store takes for that is found out meanwhile
};

/// --root, else $MYBUILD_ROOT, else /var/lib/mybuild for root and $XDG_DATA_HOME/mybuild
/// (~/.local/share) for others.
std::string default_root();

struct ContainerRoot {
  std::string driver;            // "overlay" or "native"; empty: none works here
  snapshotter::RootMount mount;  // without `lower` when a layer is gone
};

struct BuildInputs;

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Fails with the first vertex's error (its place in the Dockerfile attached) or Cancelled.
  /// `cancel` belongs to this build: a failing step requests it too, so that the others stop.
  Result<BuildReport> build(const BuildRequest& request, solver::EventSink& events, Cancel& cancel);

  /// Publishes what builds have left for their cache server when they ended.
  Status publish_left(solver::EventSink& events, Cancel& cancel);

  /// What became of each step of a build and why. `build` is its id or how that begins; "": the one
  /// that this engine made last, else the newest.
  Result<explain::Explanation> explain(const std::string& build);
  /// Those that are kept, newest first.
  Result<std::vector<explain::BuildSummary>> builds();

  /// The Dockerfile and the contexts of a build that are not directories of this machine.
  Result<BuildInputs> read_inputs(const BuildRequest& request, solver::EventSink& events,
                                  Cancel& cancel);
  /// The configs of base images, as a build would find them.
  std::vector<Result<frontend::ImageMeta>> resolve_images(
      const std::vector<frontend::ImageRequest>& requests, bool pull, solver::EventSink& events,
      const Cancel& cancel);

  /// The image that is called so, from its registry if `policy` says so; it is in the local store
  /// then, with all its files.
  Result<snapshotter::ImageRow> provide_image(const std::string& name_or_id, PullPolicy policy,
                                              const std::optional<oci::Platform>& platform,
                                              solver::EventSink& events, const Cancel& cancel);
  /// Runs a new container of `image` and waits for its end.
  Result<run::ContainerExit> run(const snapshotter::ImageRow& image, const run::RunRequest& request,
                                 const Cancel& cancel);
  /// Runs a stopped container again and waits for its end; with our input if `interactive`.
  Result<run::ContainerExit> start(const std::string& name_or_id, bool interactive,
                                   const Cancel& cancel);
  run::ContainerStore& containers();
  run::VolumeStore& volumes();
  /// What RUN --mount=type=cache keeps.
  const caches::CacheStore& cache_mounts();
  /// An archive of all caches that are called so, by id or key; compressed if `dest` ends in .zst
  /// or .gz, "-" is standard output.
  Status export_cache_mounts(const std::vector<std::string>& names, const std::string& dest,
                             solver::EventSink& events, const Cancel& cancel);
  /// Puts those of an archive ("-": standard input) in the place of ours; with `id` they are called
  /// so.
  Result<std::vector<caches::Cache>> import_cache_mounts(const std::string& path,
                                                         const std::optional<std::string>& id,
                                                         solver::EventSink& events,
                                                         const Cancel& cancel);
  /// Counts what it has written, which takes a walk through it.
  Result<ContainerSize> container_size(const run::Container& container);
  /// Where its files are and how they become its root.
  ContainerRoot container_root(const run::Container& container);

  Result<std::vector<snapshotter::ImageRow>> images();
  /// By name, id or id prefix; NotFound names what was looked for, and is the answer for an image
  /// of another platform than `platform`.
  Result<snapshotter::ImageRow> find_image(const std::string& name_or_id,
                                           const std::optional<oci::Platform>& platform = {});
  /// The image's config document, as stored.
  Result<std::string> image_config(const Digest& config);
  /// Removes a name, or all names by id; returns what was removed ("Untagged: …", "Deleted: …").
  /// Refused, as docker does, while a container is made from it; with `force` only while one runs.
  Result<std::vector<std::string>> remove_image(const std::string& name_or_id, bool force);
  /// Gives an image one more name, which moves from whatever has it.
  Status tag_image(const std::string& source, const oci::Reference& name);
  /// The layers of an image with the sizes noted when they were committed, lowest first.
  Result<std::vector<snapshotter::Layer>> image_layers(const Digest& config);
  /// "docker.io/library/hello@sha256:…" for each place it was pulled from or pushed to.
  Result<std::vector<std::string>> repo_digests(const Digest& config);
  Result<StoreUsage> usage();
  /// Reads all that is in the store; with `repair`, what is damaged is removed.
  Result<FsckReport> fsck(bool repair, solver::EventSink& events, const Cancel& cancel);
  /// Removes what the rule says of all that is kept for later builds and that no image, no
  /// container and no running build needs; each thing that went is told as it goes. When it returns
  /// the space is free.
  Result<space::Collected> prune(const space::Rule& rule, const space::OnRemoved& on_removed);

  /// Makes an image of a registry one of the local store, unpacked.
  Result<PullReport> pull(const PullRequest& request, solver::EventSink& events,
                          const Cancel& cancel);
  /// The same for every tag of the repository, in the registry's order; `on_pulled` hears of each.
  Status pull_all(const PullRequest& request,
                  const std::function<Status(const PullReport&)>& on_pulled,
                  solver::EventSink& events, const Cancel& cancel);
  /// The names that the local store has for this repository, by tag.
  Result<std::vector<oci::Reference>> local_tags(const oci::Reference& repository);
  /// Sends the image of that name to the registry that the name says.
  Result<PushReport> push(const oci::Reference& name, solver::EventSink& events, Cancel& cancel);
  /// All images of an archive or layout; "-" is standard input.
  Result<std::vector<LoadedName>> load(const std::string& path, solver::EventSink& events,
                                       Cancel& cancel);
  /// One docker archive of these images; `dest` "-" is standard output.
  Status save(const std::vector<std::string>& names, const std::string& dest,
              solver::EventSink& events, Cancel& cancel);

  /// Lists of images for several platforms that are being put together.
  const manifest_list::ListStore& manifest_lists();
  /// Looks the images up in their registries and keeps them as a list. One that is there is refused
  /// unless `amend`, which adds to it.
  Status create_manifest_list(const oci::Reference& name, const std::vector<oci::Reference>& images,
                              bool amend, const Cancel& cancel);
  /// What `docker manifest inspect` prints: of a list that is here, else of a registry.
  Result<std::string> inspect_manifest(const ManifestQuestion& question, const Cancel& cancel);
  /// Sends the list and what its repository lacks of the images.
  Result<manifest_list::PushedList> push_manifest_list(const oci::Reference& name,
                                                       solver::EventSink& events, Cancel& cancel);

  struct Services;

 private:
  explicit Engine(std::unique_ptr<Services> services);
  std::unique_ptr<Services> services_;
};

}  // namespace mybuild::builder
