// SPDX-License-Identifier: Apache-2.0
// Annotations of an output: key and value, and which of its documents they go into (image-spec
// annotations.md; --annotation, -o annotation…=). Value types, pure functions.
#pragma once

#include "snapshotter/base/result.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/platform.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mybuild::exporter {

struct Annotation {
  /// A descriptor is what names the document: in an index, or in index.json of a layout.
  enum class Place { Manifest, ManifestDescriptor, Index, IndexDescriptor };
  Place place = Place::Manifest;
  std::optional<oci::Platform> platform;  // nullopt: all
  std::string key;
  std::string value;
  bool operator==(const Annotation&) const = default;
};

/// What goes into that place of the image for `platform` (nullopt: of all of them). What was said
/// for a platform wins over what was said for all.
oci::Annotations annotations_for(std::span<const Annotation> annotations, Annotation::Place place,
                                 const std::optional<oci::Platform>& platform);

/// Whether all of them have a place in an image for these platforms.
Status check_annotations(std::span<const Annotation> annotations,
                         std::span<const oci::Platform> platforms, bool multi_platform);

}  // namespace mybuild::exporter
