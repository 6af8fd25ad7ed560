// SPDX-License-Identifier: Apache-2.0
// Images as their documents and blobs, to fill layouts and fake registries with.
#pragma once

#include "snapshotter/base/file.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/media_type.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace mybuild::source {

using Blobs = std::map<Digest, std::string>;

inline oci::Descriptor descriptor_of(std::string_view media_type, const std::string& bytes) {
  return {std::string(media_type), Digest::of(bytes), bytes.size(), std::nullopt, {}};
}

struct TestImage {
  oci::Descriptor descriptor;  // of its manifest, with platform
  oci::Manifest manifest;
  oci::ImageConfig config;
  std::string manifest_text;
  std::string config_text;
};

/// An image whose layers are these (uncompressed) bytes; all its blobs are added to `blobs`.
inline TestImage make_image(const std::vector<std::string>& layers, const std::string& platform,
                            Blobs& blobs) {
  TestImage image;
  image.config.platform = oci::parse_platform(platform).value();
  for (const std::string& layer : layers) {
    image.config.diff_ids.push_back(Digest::of(layer));
    image.manifest.layers.push_back(descriptor_of(oci::kMediaTypeLayer, layer));
    blobs[Digest::of(layer)] = layer;
  }
  image.config_text = dump(image.config);
  image.manifest.media_type = oci::kMediaTypeManifest;
  image.manifest.config = descriptor_of(oci::kMediaTypeConfig, image.config_text);
  image.manifest_text = dump(image.manifest);
  image.descriptor = descriptor_of(oci::kMediaTypeManifest, image.manifest_text);
  image.descriptor.platform = image.config.platform;
  blobs[image.manifest.config.digest] = image.config_text;
  blobs[image.descriptor.digest] = image.manifest_text;
  return image;
}

/// An index of these; it is a blob too.
inline oci::Descriptor make_index(std::vector<oci::Descriptor> manifests, Blobs& blobs) {
  oci::Index index;
  index.media_type = oci::kMediaTypeIndex;
  index.manifests = std::move(manifests);
  const std::string text = dump(index);
  blobs[Digest::of(text)] = text;
  return descriptor_of(oci::kMediaTypeIndex, text);
}

inline oci::Descriptor tagged(oci::Descriptor descriptor, const std::string& tag) {
  descriptor.annotations["org.opencontainers.image.ref.name"] = tag;
  return descriptor;
}

inline void write_layout(const std::string& dir, const std::vector<oci::Descriptor>& entries,
                         const Blobs& blobs) {
  oci::Index index;
  index.media_type = oci::kMediaTypeIndex;
  index.manifests = entries;
  ASSERT_TRUE(make_dirs(dir + "/blobs/sha256"));
  ASSERT_TRUE(write_file(dir + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  ASSERT_TRUE(write_file(dir + "/index.json", dump(index)));
  for (const auto& [digest, bytes] : blobs) {
    ASSERT_TRUE(write_file(dir + "/blobs/sha256/" + digest.hex(), bytes));
  }
}

}  // namespace mybuild::source
