// SPDX-License-Identifier: Apache-2.0
#include "builder/usage.h"

#include <algorithm>
#include <map>
#include <set>

namespace mybuild::builder {

namespace {

std::set<Digest> different(const std::vector<Digest>& diff_ids) {
  return {diff_ids.begin(), diff_ids.end()};
}

/// Bytes of blobs by layer; equal bytes under two formats are one blob.
std::map<Digest, std::uint64_t> blob_sizes(const std::vector<snapshotter::LayerBlobRow>& rows) {
  std::map<Digest, std::uint64_t> sizes;
  std::set<Digest> counted;
  for (const snapshotter::LayerBlobRow& row : rows) {
    if (counted.insert(row.blob.digest).second) {
      sizes[row.diff_id] += row.blob.size;
    }
  }
  return sizes;
}

}  // namespace

StoreUsage summarise(std::vector<ImageContents> images,
                     const std::vector<snapshotter::LayerRow>& layers,
                     const std::vector<snapshotter::LayerBlobRow>& blobs) {
  StoreUsage usage;
  const std::map<Digest, std::uint64_t> compressed = blob_sizes(blobs);
  std::map<Digest, LayerUsage> by_id;
  for (const snapshotter::LayerRow& row : layers) {
    const auto blob = compressed.find(row.diff_id);
    by_id[row.diff_id] = {.diff_id = row.diff_id,
                          .size = row.size,
                          .blob_size = blob == compressed.end() ? 0 : blob->second,
                          .created = row.created,
                          .images = 0};
  }
  std::set<Digest> used;
  for (const ImageContents& contents : images) {
    for (const Digest& diff_id : different(contents.diff_ids)) {
      by_id[diff_id].diff_id = diff_id;
      ++by_id[diff_id].images;
      if (contents.image.containers > 0 && used.insert(diff_id).second) {
        usage.used_bytes += by_id[diff_id].size;
      }
    }
  }
  for (ImageContents& contents : images) {
    for (const Digest& diff_id : different(contents.diff_ids)) {
      const LayerUsage& layer = by_id[diff_id];
      contents.image.size += layer.size;
      contents.image.shared += layer.images > 1 ? layer.size : 0;
    }
    usage.images.push_back(std::move(contents.image));
  }
  for (const auto& [diff_id, layer] : by_id) {
    usage.layers.push_back(layer);
  }
  std::stable_sort(usage.layers.begin(), usage.layers.end(),
                   [](const auto& a, const auto& b) { return a.created < b.created; });
  return usage;
}

}  // namespace mybuild::builder
