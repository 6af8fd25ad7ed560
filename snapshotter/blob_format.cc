// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/blob_format.h"

#include <fmt/format.h>

#include <string_view>

namespace mybuild::snapshotter {

namespace {

/// Raised when the same tree would get another tar or another compressed form (archive/format.md).
constexpr int kFormatVersion = 1;
constexpr std::string_view kClamp = ":max-mtime=";

std::string_view compression_name(oci::Compression compression) {
  switch (compression) {
    case oci::Compression::None:
      return "none";
    case oci::Compression::Gzip:
      return "gzip";
    case oci::Compression::Zstd:
      return "zstd";
  }
  return "none";
}

}  // namespace

std::string blob_format(const CompressionSpec& spec, const TarOptions& options) {
  std::string format = fmt::format("{}:v{}", compression_name(spec.compression), kFormatVersion);
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
