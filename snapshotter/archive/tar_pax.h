// SPDX-License-Identifier: Apache-2.0
// The records of a PAX extended header ("<length> <key>=<value>\n"), as far as a layer cares. Names
// are bytes: hdrcharset and locales play no part. Internal to archive/.
#pragma once

#include "snapshotter/base/result.h"

#include <time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter::tar {

/// A stretch of a sparse file that is stored; all else reads as zeros.
struct Region {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct PaxHeader {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> gid;
  std::optional<struct timespec> mtime;
  std::map<std::string, std::string> xattrs;  // all of them, not only carried ones

  // GNU sparse formats 0.0 (list of records), 0.1 (one record) and 1.0 (map in front of the data).
  bool sparse_map_in_data = false;
  std::vector<std::uint64_t> sparse_numbers;  // offset, length, offset, length …
  bool has_sparse_map = false;
  std::optional<std::string> sparse_name;
  std::optional<std::int64_t> sparse_size;
};

/// Adds the records in `data` to `header`; later ones win.
Status parse_pax(std::string_view data, PaxHeader& header);

/// Decimal digits only.
Result<std::int64_t> parse_decimal(std::string_view text);

/// Sparse maps with more numbers than this are refused.
inline constexpr std::size_t kMaxSparseNumbers = 2'000'000;
/// Checks that `numbers` are pairs in ascending order inside `size`.
Result<std::vector<Region>> sparse_regions(const std::vector<std::uint64_t>& numbers,
                                           std::uint64_t size);

}  // namespace mybuild::snapshotter::tar
