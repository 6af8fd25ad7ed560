// SPDX-License-Identifier: Apache-2.0
// The engine's verbs that look into images and count bytes: history, inspect, du.
#include "builder/engine.h"
#include "builder/run/disk_usage.h"
#include "builder/services.h"
#include "builder/space/measured.h"
#include "snapshotter/base/file.h"

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

/// One that runs is counted each time; one that does not is what it was when it ended. `began`: a
/// moment before the containers were looked at.
Result<std::vector<ContainerUsage>> container_usage(Engine::Services& own,
                                                    const std::vector<run::Container>& containers,
                                                    Time began) {
  std::vector<ContainerUsage> usage;
  for (const run::Container& container : containers) {
    usage.push_back({.container = container, .size = 0});
  }
  TRY(own.lanes.fan_out(Lane::Disk, usage.size(), [&](std::size_t i) -> Status {
    const run::Container& container = usage[i].container;
    const std::string& id = container.record.id;
    const Time ended = std::max(container.record.created, container.state.finished);
    usage[i].size =
        TRY(space::measured_bytes(join_path(own.containers->path(id), ".size"),
                                  container.running() ? std::nullopt : std::optional(ended), began,
                                  [&] { return own.containers->written_bytes(id); }));
    return {};
  }));
  return usage;
}

Result<std::vector<VolumeUsage>> volume_usage(Engine::Services& own,
                                              const std::vector<run::Container>& containers) {
  std::map<std::string, std::size_t> users;
  for (const run::Container& container : containers) {
    for (const run::VolumeUse& use : container.record.volumes) {
      ++users[use.volume];
    }
  }
  const std::vector<run::VolumeInfo> volumes = TRY(own.volumes->list());
  std::vector<VolumeUsage> usage(volumes.size());
  TRY(own.lanes.fan_out(Lane::Disk, volumes.size(), [&](std::size_t i) -> Status {
    usage[i].name = volumes[i].name;
    usage[i].size = TRY(run::tree_bytes(volumes[i].path));
    return {};
  }));
  for (VolumeUsage& volume : usage) {
    volume.containers = users[volume.name];
  }
  return usage;
}

}  // namespace

namespace {

/// None of an image whose config is damaged: fsck says so, and the others have their sizes.
std::vector<Digest> diff_ids_of(const Result<std::string>& config) {
  const Result<oci::ImageConfig> parsed =
      config ? oci::parse_image_config(*config) : Result<oci::ImageConfig>(config.error());
  return parsed ? parsed->diff_ids : std::vector<Digest>();
}

}  // namespace

Result<StoreUsage> Engine::usage() {
  std::map<Digest, std::size_t> places;
  std::vector<ImageContents> images;
  for (const ImageRow& row : TRY(this->images())) {
    const auto [place, fresh] = places.emplace(row.config, images.size());
    if (fresh) {
      ImageContents contents;
      contents.image.config = row.config;
      contents.image.created = row.created;
      contents.diff_ids = diff_ids_of(image_config(row.config));
      images.push_back(std::move(contents));
    }
    if (!row.name.empty()) {
      images[place->second].image.names.push_back(row.name);
    }
  }
  const Time began = services_->clock.now();
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
  usage.containers = TRY(container_usage(*services_, containers, began));
  usage.volumes = TRY(volume_usage(*services_, containers));
  usage.items = TRY(services_->collector().inventory());
  return usage;
}

}  // namespace mybuild::builder
