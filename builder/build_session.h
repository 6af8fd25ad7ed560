// SPDX-License-Identifier: Apache-2.0
// BuildSession: what one build holds while it lasts: base images, files behind URLs and commits,
// each asked for once, so that the Dockerfile, the configs and the steps see the same; and what ops
// need of the engine. Inside builder. Thread-safe but for open(), which one thread calls.
#pragma once

#include "builder/build_inputs.h"
#include "builder/cache_client/client.h"
#include "builder/remote_cache/imported_cache.h"
#include "builder/remote_cache/session_index.h"
#include "builder/services.h"
#include "snapshotter/base/guarded.h"
#include "solver/scheduler.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mybuild::builder {

class BuildSession final : public ContextOpener, public frontend::MetaResolver {
 public:
  /// All arguments must outlive the session. Denied where steps cannot be run at all. `downloads`
  /// ends those of base images, which may be needed after a step has failed. Caches to import are
  /// fetched from here on, without those that are known to be bad. `server`: the cache server of
  /// the build, if it has one.
  static Result<std::unique_ptr<BuildSession>> start(Engine::Services& services,
                                                     const BuildRequest& request,
                                                     solver::EventSink& events, Cancel& cancel,
                                                     const Cancel& downloads,
                                                     const std::set<std::size_t>& bad_caches = {},
                                                     cache_client::CacheClient* server = nullptr);

  /// Saves what was learnt of contexts, however the build ended.
  ~BuildSession() override;

  /// Solves what makes the context, and nothing else. The tree lives as long as the session.
  Result<std::shared_ptr<const snapshotter::TreeView>> open(
      const frontend::MainContext& context,
      const std::map<std::string, source::SourceTree>& trees) override;
  Result<std::shared_ptr<const snapshotter::TreeView>> open_url(
      const std::string& url, const std::string& file_name) override;
  std::vector<Result<frontend::ImageMeta>> resolve(
      const std::vector<frontend::ImageRequest>& requests) override;
  Result<std::optional<std::int64_t>> source_time(const solver::SourceOp& source) override;

  /// Contexts are moved out of `inputs`.
  ops::OpDeps op_deps(BuildInputs& inputs, devices::DeviceSource& devices);
  solver::SolveResult solve(const solver::Graph& graph, const ops::OpDeps& deps,
                            const std::vector<solver::Edge>& targets,
                            solver::KnownBuilds* known_builds = nullptr);
  source::ImageResolver& images() { return *images_; }
  /// Null when nothing comes from other machines.
  source::RemoteLayers* remote_layers() { return remote_layers_.get(); }
  /// Those of the imported caches, and of the layers of the server, by number, that turned out not
  /// to be what they say.
  std::set<std::size_t> bad_caches() const;
  /// On whose word steps of this build may be found.
  remote_cache::Vouched vouched() const;
  /// Hears of each step that solve() records.
  void on_record(remote_cache::SessionIndex::OnRecord listener) {
    on_record_ = std::move(listener);
  }

 private:
  BuildSession(Engine::Services& services, snapshotter::Snapshotter& snapshotter,
               const BuildRequest& request, solver::EventSink& events, Cancel& cancel,
               const Cancel& downloads, const std::set<std::size_t>& bad_caches,
               cache_client::CacheClient* server);
  void import_caches(const Cancel& downloads, const std::set<std::size_t>& bad_caches);
  void open_remote_layers(const Cancel& downloads);
  std::optional<source::RemoteLayer> find_layer(const Digest& diff_id);
  void distrust(std::size_t cache, const Error& why);
  std::vector<remote_cache::RecordSource*> record_sources();
  Result<std::optional<std::int64_t>> find_time(const solver::SourceOp& source,
                                                const solver::VertexId& vertex);
  Result<std::shared_ptr<const snapshotter::TreeView>> solve_tree(
      solver::GraphBuilder builder, solver::Edge edge,
      const std::map<std::string, source::SourceTree>& trees);

  /// What was solved for the Dockerfile is part of the build's graph again; it is shown once.
  class FirstShowing final : public solver::EventSink {
   public:
    explicit FirstShowing(solver::EventSink& events) : events_(events) {}
    void on_event(solver::Event event) override;

   private:
    solver::EventSink& events_;
    Guarded<std::set<solver::VertexId>> done_;
  };

  Engine::Services& services_;
  snapshotter::Snapshotter& snapshotter_;
  const BuildRequest& request_;
  solver::EventSink& events_;
  Cancel& cancel_;
  FirstShowing first_showing_;
  sandbox::MountPointLayers mount_points_;
  const std::unique_ptr<source::ImageResolver> images_;
  const std::unique_ptr<source::HttpSources> files_;
  const std::unique_ptr<source::GitSources> commits_;
  cache_client::CacheClient* const server_;
  std::unique_ptr<remote_cache::ImportedCache> imported_;
  std::unique_ptr<source::RemoteLayers> remote_layers_;  // its downloads come out of the caches
  remote_cache::SessionIndex::OnRecord on_record_;
};

}  // namespace mybuild::builder
