// SPDX-License-Identifier: Apache-2.0
// From a tag to one image: a tag may stand for an index of images for several platforms, also for
// an index of indexes. Shared by registries and layouts, which differ only in how a document is
// fetched. Thread-safe.
#pragma once

#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/platform.h"

#include <functional>
#include <string>
#include <vector>

namespace mybuild::source {

inline constexpr std::size_t kMaxDocument = 16 << 20;  // manifests, indexes, configs

/// Gives the bytes of a manifest, index or config, its digest checked.
using FetchDocument = std::function<Result<std::string>(const oci::Descriptor&)>;

struct ChosenManifest {
  Digest digest;
  std::string bytes;
  oci::Manifest manifest;
};

/// Attestations and other things that are attached to an image and are none.
bool is_attachment(const oci::Descriptor& descriptor);

/// `document` itself if it is a manifest, whatever its platform; else the manifest in that index
/// which serves `platform` best. NotFound lists the platforms there are.
Result<ChosenManifest> choose_manifest(const std::string& document, const oci::Platform& platform,
                                       const FetchDocument& fetch);
/// The same for a list of descriptors that stand side by side.
Result<ChosenManifest> choose_manifest(const std::vector<oci::Descriptor>& descriptors,
                                       const oci::Platform& platform, const FetchDocument& fetch);

}  // namespace mybuild::source
