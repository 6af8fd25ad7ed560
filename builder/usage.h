// SPDX-License-Identifier: Apache-2.0
// What the state directory is filled with. Layers have the sizes that were noted when they were
// committed, and one that several images have is counted once; what containers and volumes hold is
// counted when it is asked for, unless it was before and did not change since. Value types.
#pragma once

#include "builder/run/container_record.h"
#include "builder/space/item.h"
#include "snapshotter/metadata.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mybuild::builder {

/// A layer of the store: bytes of its files, and of the blobs it was downloaded as or compressed
/// to.
struct LayerUsage {
  Digest diff_id;
  std::uint64_t size = 0;
  std::uint64_t blob_size = 0;
  std::int64_t created = 0;
  std::size_t images = 0;  // how many have it; 0: it is kept for later builds
};

struct ImageUsage {
  Digest config;
  std::vector<std::string> names;  // may be empty
  std::int64_t created = 0;
  std::uint64_t size = 0;    // of all layers
  std::uint64_t shared = 0;  // of those that another image has, too
  std::size_t containers = 0;
  std::uint64_t unique() const { return size - shared; }
};

/// Bytes of a container's files.
struct ContainerSize {
  std::uint64_t writable = 0;  // what it has written
  std::uint64_t root = 0;      // all it sees: that, and the layers below
};

struct ContainerUsage {
  run::Container container;
  std::uint64_t size = 0;  // of its writable layer
};

struct VolumeUsage {
  std::string name;
  std::uint64_t size = 0;
  std::size_t containers = 0;  // how many use it, running or not
};

struct StoreUsage {
  std::vector<ImageUsage> images = {};          // newest first
  std::vector<LayerUsage> layers = {};          // oldest first
  std::vector<ContainerUsage> containers = {};  // newest first
  std::vector<VolumeUsage> volumes = {};        // by name
  std::vector<space::Item> items = {};          // all else, and the layers again
  std::uint64_t used_bytes = 0;                 // layers of images that a container runs from
};

/// An image and the diff ids of its layers.
struct ImageContents {
  ImageUsage image;
  std::vector<Digest> diff_ids;
};
/// `blobs` that are not in the store any more are to be left out.
StoreUsage summarise(std::vector<ImageContents> images,
                     const std::vector<snapshotter::LayerRow>& layers,
                     const std::vector<snapshotter::LayerBlobRow>& blobs);

}  // namespace mybuild::builder
