// SPDX-License-Identifier: Apache-2.0
// Everything the engine owns over one state directory, in construction order. Thread-compatible;
// made once.
#pragma once

#include "builder/caches/store.h"
#include "builder/engine.h"
#include "builder/explain/history.h"
#include "builder/export/exporter.h"
#include "builder/registry/client.h"
#include "builder/registry/credentials/store.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/push.h"
#include "builder/run/container.h"
#include "builder/sandbox/sandbox.h"
#include "builder/source/git_source.h"
#include "builder/source/http_source.h"
#include "builder/source/image_resolver.h"
#include "builder/space/collector.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/claims.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "snapshotter/snapshotter.h"
#include "snapshotter/stat_index.h"
#include "solver/cache_index.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mybuild::builder {

struct Engine::Services {
  explicit Services(const EngineOptions& options)
      : root(options.root),
        insecure_registries(options.insecure_registries),
        stat_index(join_path(root, "stat-index")),
        manifest_lists(join_path(root, "manifest-lists")),
        claims(root),
        lanes({.exec = options.jobs, .net = 16, .disk = 8}) {}

  std::string root;
  std::vector<std::string> insecure_registries;
  SystemClock clock;
  snapshotter::StatIndex stat_index;
  manifest_list::ListStore manifest_lists;
  snapshotter::Claims claims;
  std::unique_ptr<snapshotter::ContentStore> content;
  std::unique_ptr<snapshotter::Metadata> metadata;
  std::unique_ptr<snapshotter::LayerStore> layers;
  std::unique_ptr<solver::CacheIndex> index;
  std::unique_ptr<explain::History> history;
  std::unique_ptr<registry::Transport> transport;
  std::unique_ptr<registry::HostTable> hosts;
  std::unique_ptr<registry::CredentialSource> credentials;
  std::unique_ptr<registry::RegistryClient> registry;
  std::unique_ptr<registry::RegistryPush> push;
  std::string helper;
  std::unique_ptr<sandbox::Sandbox> sandbox;
  std::mutex snapshotter_mutex;
  std::unique_ptr<snapshotter::Snapshotter> snapshotter;  // chosen when a step first needs it
  std::unique_ptr<run::VolumeStore> volumes;
  std::unique_ptr<run::ContainerStore> containers;
  std::unique_ptr<caches::CacheStore> cache_mounts;
  Lanes lanes;  // last: its threads end before what they use

  /// What exporters get of the store.
  exporter::ExportDeps export_deps(solver::EventSink& events, const Cancel& cancel);
  /// For an output whose registries may do without TLS; nothing else of the build speaks to them
  /// so.
  struct LaxPush {
    std::unique_ptr<registry::HostTable> hosts;
    std::unique_ptr<registry::RegistryPush> push;
  };
  LaxPush lax_push(const std::vector<oci::Reference>& targets);
  std::unique_ptr<source::ImageResolver> image_resolver(bool pull, solver::EventSink& events,
                                                        const Cancel& cancel);
  std::unique_ptr<source::HttpSources> http_sources(solver::EventSink& events,
                                                    secrets::SecretSource* secrets);
  std::unique_ptr<source::GitSources> git_sources(solver::EventSink& events,
                                                  secrets::SecretSource* secrets,
                                                  secrets::AgentSource* agents);
  space::Collector collector();
  /// After a build that made something, as $MYBUILD_GC says. Never fails: what went wrong is a
  /// warning.
  void collect_after_build(solver::EventSink& events);
  /// $MYBUILD_GC can be read: said before anything is built.
  Status check_gc_settings() const;
  /// Probes the kernel on the first call. From any thread.
  Result<snapshotter::Snapshotter*> get_snapshotter();
};

}  // namespace mybuild::builder
