// SPDX-License-Identifier: Apache-2.0
// One --cache-from and one --cache-to, already parsed. Value types.
#pragma once

#include "snapshotter/archive/codec.h"
#include "snapshotter/oci/reference.h"

#include <optional>
#include <string>

namespace mybuild::remote_cache {

struct CacheSource {
  enum class Type { Registry, Local };
  Type type = Type::Registry;
  oci::Reference ref;            // Registry: a cache, or an image with an inline one
  std::string src;               // Local: a folder
  std::string tag = "latest";    // Local: which of those in it
  std::optional<Digest> digest;  // Local: or this one
};

struct CacheTarget {
  enum class Type { Registry, Local, Inline };
  Type type = Type::Registry;
  oci::Reference ref;          // Registry
  std::string dest;            // Local: a folder
  std::string tag = "latest";  // Local
  bool max = false;            // all steps of the build, not only those of the image
  snapshotter::CompressionSpec compression;
  bool ignore_error = true;  // a cache is no result: what it fails with is a warning
};

}  // namespace mybuild::remote_cache
