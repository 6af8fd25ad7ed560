// SPDX-License-Identifier: Apache-2.0
// Manifest: which files a step took of an input, small enough to keep: per path the type, mode,
// owner, size, link and the beginning of the content's digest, enough to tell what changed and not
// meant for anything else. Pure functions, thread-safe.
#pragma once

#include "builder/explain/explanation.h"
#include "builder/ops/selection.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::explain {

struct ManifestEntry {
  snapshotter::EntryType type = snapshotter::EntryType::File;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t content = 0;  // the first bytes of the digest
  std::uint64_t other = 0;    // of extended attributes and devices; 0 = none
  std::string link;
  bool operator==(const ManifestEntry&) const = default;
};
using Manifest = std::map<std::string, ManifestEntry>;  // by path in the source tree

/// Contents must be hashed.
std::string encode_manifest(const ops::SourceRefs& sources);
/// DataLoss on bytes that encode_manifest() did not write.
Result<Manifest> decode_manifest(std::string_view bytes);

/// What is different, by path. A directory that is new or gone stands for all below it.
std::vector<FileChange> file_changes(const Manifest& then, const Manifest& now);

}  // namespace mybuild::explain
