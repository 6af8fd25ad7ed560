// SPDX-License-Identifier: Apache-2.0
// The engine's verbs that look into images and count bytes: history, inspect, du.
#include "builder/engine.h"
#include "builder/run/disk_usage.h"
#include "builder/services.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <map>

namespace mybuild::builder {

using snapshotter::ImageRow;

Result<std::vector<snapshotter::Layer>> Engine::image_layers(const Digest& config) {
  const std::string text = TRY(image_config(config));
  const oci::ImageConfig parsed = TRY(oci::parse_image_config(text));
  std::vector<snapshotter::Layer> layers;
  for (const Digest& diff_id : parsed.diff_ids) {
    const auto row = TRY(services_->metadata->find_layer(diff_id));
    snapshotter::Layer layer;
    layer.diff_id = diff_id;
    layer.size = row ? row->size : 0;
    layer.changes = row ? row->changes : std::nullopt;
    layer.blob = TRY(services_->layers->original_blob(diff_id));
    layers.push_back(std::move(layer));
  }
  return layers;
}

Result<explain::Explanation> Engine::explain(const std::string& build) {
  return services_->history->explain(build);
}

Result<std::vector<explain::BuildSummary>> Engine::builds() {
  return services_->history->list();
}

Result<std::vector<std::string>> Engine::repo_digests(const Digest& config) {
  std::vector<std::string> digests;
  for (const auto& row : TRY(services_->metadata->find_repo_digests(config))) {
    digests.push_back(row.repository + "@" + row.manifest.str());
  }
  return digests;
}

namespace {

Result<std::vector<ContainerUsage>> container_usage(run::ContainerStore& store,
                                                    const std::vector<run::Container>& containers) {
  std::vector<ContainerUsage> usage;
  for (const run::Container& container : containers) {
    const std::uint64_t size = TRY(store.written_bytes(container.record.id));
    usage.push_back({.container = container, .size = size});
  }
  return usage;
}

Result<std::vector<VolumeUsage>> volume_usage(run::VolumeStore& volumes,
                                              const std::vector<run::Container>& containers) {
  std::map<std::string, std::size_t> users;
  for (const run::Container& container : containers) {
    for (const run::VolumeUse& use : container.record.volumes) {
      ++users[use.volume];
    }
  }
  std::vector<VolumeUsage> usage;
  for (const run::VolumeInfo& volume : TRY(volumes.list())) {
    const std::uint64_t size = TRY(run::tree_bytes(volume.path));
    usage.push_back({.name = volume.name, .size = size, .containers = users[volume.name]});
  }
  return usage;
}

/// builder/git/README.md says what lies there.
Result<std::vector<MirrorUsage>> mirror_usage(const std::string& directory) {
  std::vector<MirrorUsage> usage;
  if (!sys::exists_at(AT_FDCWD, directory)) {
    return usage;
  }
  const Fd mirrors = TRY(sys::open(directory, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(mirrors.get()))) {
    const std::string path = join_path(directory, name);
    const std::uint64_t size = TRY(run::tree_bytes(path));
    std::string remote = read_file(join_path(path, "url")).value_or(name);
    usage.push_back({.remote = std::move(remote), .size = size});
  }
  std::sort(usage.begin(), usage.end(),
            [](const auto& a, const auto& b) { return a.remote < b.remote; });
  return usage;
}

Result<std::vector<CacheMountUsage>> cache_mount_usage(const caches::CacheStore& store) {
  std::vector<CacheMountUsage> usage;
  for (const caches::Cache& cache : TRY(store.list())) {
    const std::uint64_t size = TRY(caches::cache_bytes(cache));
    std::string id = cache.record ? cache.record->identity.id : cache.key;
    usage.push_back({.id = std::move(id), .size = size, .in_use = cache.in_use});
  }
  return usage;
}

}  // namespace

Result<StoreUsage> Engine::usage() {
  std::map<Digest, std::size_t> places;
  std::vector<ImageContents> images;
  for (const ImageRow& row : TRY(this->images())) {
    const auto [place, fresh] = places.emplace(row.config, images.size());
    if (fresh) {
      const std::string text = TRY(image_config(row.config));
      ImageContents contents;
      contents.image.config = row.config;
      contents.image.created = row.created;
      contents.diff_ids = TRY(oci::parse_image_config(text))
      .diff_ids;
      images.push_back(std::move(contents));
    }
    if (!row.name.empty()) {
      images[place->second].image.names.push_back(row.name);
    }
  }
  const std::vector<run::Container> containers = TRY(services_->containers->list());
  for (const run::Container& container : containers) {
    const auto place = places.find(container.record.image_id);
    if (place != places.end()) {
      ++images[place->second].image.containers;
    }
  }
  std::vector<snapshotter::LayerBlobRow> blobs;
  for (snapshotter::LayerBlobRow& row : TRY(services_->metadata->layer_blobs())) {
    if (TRY(services_->content->stat(row.blob.digest))) {
      blobs.push_back(std::move(row));
    }
  }
  StoreUsage usage = summarise(std::move(images), TRY(services_->metadata->layers()), blobs);
  usage.containers = TRY(container_usage(*services_->containers, containers));
  usage.volumes = TRY(volume_usage(*services_->volumes, containers));
  usage.cache_mounts = TRY(cache_mount_usage(*services_->cache_mounts));
  usage.mirrors = TRY(mirror_usage(join_path(services_->root, "git")));
  return usage;
}

}  // namespace mybuild::builder
