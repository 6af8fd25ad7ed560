// SPDX-License-Identifier: Apache-2.0
// A manifest as somebody pushes it, read to see what it needs. A value type.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/descriptor.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_server {

inline constexpr std::size_t kMaxManifestBytes = 4 << 20;

struct ManifestDocument {
  std::string media_type;
  std::vector<Digest> blobs;      // config and layers
  std::vector<Digest> elsewhere;  // layers that may be at the addresses they name instead
  std::vector<Digest> manifests;  // of an index
  std::optional<Digest> subject;
  std::string artifact_type;  // image-spec manifest.md, "Guidelines for Artifact Usage"
  oci::Annotations annotations;
};

/// Image manifests and indexes, OCI's and docker's schema 2. InvalidArgument or Unsupported for
/// anything else: for docker's schema 1, for one that could be read as two things (CVE-2021-41190),
/// and when `content_type`, if it isn't "", says something else than the document.
Result<ManifestDocument> read_manifest_document(std::string_view text,
                                                const std::string& content_type);

}  // namespace mybuild::cache_server
