// SPDX-License-Identifier: Apache-2.0
// Image: one that was found, in a registry, a layout or the local store: its config, its layers and
// where their bytes come from. Inside builder/source. Constant once made but for its lock.
#pragma once

#include "builder/registry/client.h"
#include "builder/source/blob_fetcher.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "snapshotter/oci/image_config.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mybuild::source {

struct Image {
  Digest id;
  std::string name;  // for messages
  oci::ImageConfig config;
  std::vector<snapshotter::Layer> layers;
  BlobOrigin origin;
  std::mutex fetching;  // held by the one who fetches; the others find the work done
};

/// What programs of this image need: as in docker, images for another operating system are refused.
Status check_os(const oci::ImageConfig& config);

/// A layer with what the store knows of it.
Result<snapshotter::Layer> known_layer(const Digest& diff_id, snapshotter::Metadata& metadata);

/// For an image of the local store: the repositories that had the blob once are asked for it.
BlobOrigin known_places(std::string image, snapshotter::Metadata& metadata,
                        registry::RegistryClient& registry, const Cancel& cancel);

/// From documents whose digests were checked. A manifest and a config that do not belong together
/// are refused.
Result<std::shared_ptr<Image>> make_image(const std::string& name, const Digest& id,
                                          const oci::Manifest& manifest, const std::string& config,
                                          BlobOrigin origin, snapshotter::Metadata& metadata);

}  // namespace mybuild::source
