// SPDX-License-Identifier: Apache-2.0
// Images on disk as others write them: an OCI image layout (directory or tar; image-spec
// image-layout.md) or a docker archive (`docker save`). Read-only, nothing is trusted: every blob
// is checked when read. Thread-safe.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/platform.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::source {

struct LayoutImage {
  std::vector<std::string> names;  // normalised; a bare tag is no name
  oci::Manifest manifest;
};

class ImageLayout {
 public:
  virtual ~ImageLayout() = default;
  /// The manifest for `platform` under `tag` (empty: the only image, else "latest") or `digest`;
  /// indexes are followed. A docker archive gets a manifest made from its manifest.json.
  virtual Result<oci::Manifest> manifest(const std::string& tag,
                                         const std::optional<Digest>& digest,
                                         const oci::Platform& platform) = 0;
  /// Every image in it, each once; of an index, the manifest for `platform`.
  virtual Result<std::vector<LayoutImage>> images(const oci::Platform& platform) = 0;
  virtual Result<std::unique_ptr<Source>> open_blob(const Digest& digest) = 0;
};

/// `path`: a directory with oci-layout, or a tar of one, or a docker archive. Errors say which of
/// them was tried.
Result<std::unique_ptr<ImageLayout>> open_image_layout(const std::string& path);

}  // namespace mybuild::source
