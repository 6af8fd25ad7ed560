// SPDX-License-Identifier: Apache-2.0
// What ops need of the engine. References; the engine owns everything and outlives the ops.
#pragma once

#include "builder/devices/device_source.h"
#include "builder/ops/base_prefetch.h"
#include "builder/ops/failed_steps.h"
#include "builder/ops/wanted_blobs.h"
#include "builder/sandbox/mount_point_layer.h"
#include "builder/sandbox/sandbox.h"
#include "builder/secrets/secret_source.h"
#include "builder/secrets/ssh_agent.h"
#include "builder/source/git_source.h"
#include "builder/source/http_source.h"
#include "builder/source/image_resolver.h"
#include "builder/source/remote_layers.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/claims.h"
#include "snapshotter/content_memory.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/snapshotter.h"
#include "solver/progress.h"

#include <map>
#include <string>
#include <vector>

namespace mybuild::ops {

class SelectionLog;

/// A directory that a LocalSource names.
struct LocalDirectory {
  std::string path;
  std::vector<std::string> ignore;  // patterns of its ignore file
  std::string ignore_file;          // where they come from; empty: there is none
};

struct OpDeps {
  snapshotter::LayerStore& layers;
  snapshotter::Snapshotter& snapshotter;
  source::ImageResolver& images;
  source::HttpSources& files;
  source::GitSources& commits;
  sandbox::Sandbox& sandbox;
  sandbox::MountPointLayers& mount_points;
  devices::DeviceSource& devices;
  solver::EventSink& events;
  Lanes& lanes;
  const Clock& clock;
  std::map<std::string, LocalDirectory> directories;  // by LocalSource::name
  snapshotter::ContentMemory contents;                // what is known of files of these directories
  std::map<std::string, source::SourceTree> trees;    // the same, for what is no directory
  std::string cache_mounts_dir;                       // <root>/cache-mounts
  std::string resolv_conf;                            // text for /etc/resolv.conf of steps
  FailedSteps* failed = nullptr;                      // null: nobody wants evidence
  secrets::SecretSource* secrets = nullptr;           // null: none were given
  secrets::AgentSource* agents = nullptr;             // null: none were given
  SelectionLog* selections = nullptr;                 // null: nobody wants to know
  source::RemoteLayers* remote_layers = nullptr;      // null: no cache is imported
  const snapshotter::Claims* claims = nullptr;  // null: nothing is done before its key is known
  WantedBlobs wanted_blobs;
  BasePrefetch* prefetch = nullptr;   // null: base images are fetched by who needs them
  struct timespec invented_mtime {};  // of directories and files that no source has a time for
};

}  // namespace mybuild::ops
