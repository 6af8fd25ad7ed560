// SPDX-License-Identifier: Apache-2.0
// Descriptor, Manifest and Index: image-spec descriptor.md, manifest.md, image-index.md, as structs
// and JSON. Unknown fields of documents from outside are not needed and dropped; ImageConfig keeps
// them. Value types.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/platform.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::oci {

using Annotations = std::map<std::string, std::string>;

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform;
  Annotations annotations;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  std::string media_type;  // OCI or docker
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  Annotations annotations;
};

/// All parsers check digests, sizes (not negative) and the presence of required fields; errors name
/// the JSON path.
Result<Manifest> parse_manifest(std::string_view json);
Result<Index> parse_index(std::string_view json);
/// What a document says it is: its mediaType, else guessed from its fields as containerd does.
Result<std::string> document_media_type(std::string_view json);

/// BuildKit's form: two-space indentation, fields in the spec's order.
std::string dump(const Manifest& manifest);
std::string dump(const Index& index);
/// One line of JSON.
std::string dump(const Descriptor& descriptor);
Result<Descriptor> parse_descriptor(std::string_view json);

}  // namespace mybuild::oci
