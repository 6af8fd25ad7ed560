// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/blob_format.h"

#include <fmt/format.h>

#include <string_view>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kClamp = ":max-mtime=";

/// The version is raised when the same tree would get another tar or another compressed form
/// (archive/format.md).
std::string_view versioned_name(oci::Compression compression) {
  switch (compression) {
    case oci::Compression::None:
      return "none:v1";
    case oci::Compression::Gzip:
      return "gzip:v2";  // v1 was made by libdeflate at all levels
    case oci::Compression::Zstd:
      return "zstd:v2";  // v1 had blocks of 4 MiB
  }
  return "none:v1";
}

}  // namespace

std::string blob_format(const CompressionSpec& spec, const TarOptions& options) {
  std::string format(versioned_name(spec.compression));
  if (spec.level) {
    format += fmt::format(":level={}", *spec.level);
  }
  if (options.max_mtime) {
    format += fmt::format("{}{}", kClamp, *options.max_mtime);
  }
  return format;
}

bool is_clamped(const std::string& format) {
  return format.find(kClamp) != std::string::npos;
}

}  // namespace mybuild::snapshotter
