// SPDX-License-Identifier: Apache-2.0
// An OCI image layout (image-spec image-layout.md) about to be written: small documents as text,
// blobs by digest from the content store. As a tar its bytes are a function of the content: the
// largest blob first, so that it can go to its place before the others are known, members sorted by
// name else, times zero. Value type.
#pragma once

#include "builder/export/output_file.h"
#include "builder/export/step.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/oci/descriptor.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::exporter {

struct Layout {
  oci::Index index;
  std::map<std::string, std::string> documents;  // path -> bytes, beside index.json and oci-layout
  std::map<Digest, std::uint64_t> blobs;         // digest -> size
  /// Of a folder that others than people need: an index there that cannot be read is replaced, with
  /// a warning.
  bool replace_broken_index = false;

  void add_blob(const oci::Descriptor& blob) { blobs.emplace(blob.digest, blob.size); }
  std::uint64_t blob_bytes() const;
  /// As a tar has them.
  std::vector<std::pair<Digest, std::uint64_t>> blobs_in_order() const;
};

/// Where a tar has the bytes of its first blob, behind the headers of two directories and its own …
constexpr std::uint64_t kFirstBlobAt = 3 * 512;
/// … unless it is so large that its size takes another header.
constexpr std::uint64_t kFirstBlobLimit = std::uint64_t{8} << 30;

std::string blob_path(const Digest& digest);

/// Does not commit `file`. `has_first_blob`: the bytes of that are at their place in it.
Status write_layout_tar(const Layout& layout, ExportDeps& deps, Step& step, OutputFile& file,
                        bool has_first_blob = false);
/// Adds to a layout that is there already: its other images stay, an equal reference name moves.
/// What was made is removed again when something fails.
Status write_layout_directory(const Layout& layout, ExportDeps& deps, Step& step,
                              const std::string& dest);

}  // namespace mybuild::exporter
