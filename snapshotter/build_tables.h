// SPDX-License-Identifier: Apache-2.0
// BuildTables: the part of the store's database that remembers builds, so that a later one can say
// what is different: a row per build, and parts (what went into its steps, which files they took)
// by digest, opaque to the store. Bounded: the newest builds, and so many bytes of parts. All of it
// may be lost without harm. Thread-safe, safe between processes.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter {

struct BuildRow {
  std::int64_t number = 0;     // ascending; add_build() gives it
  std::string id;              // for people
  std::int64_t created = 0;    // seconds since the epoch
  std::int64_t last = 0;       // when it was repeated last
  std::uint64_t repeats = 0;   // how often it was, with nothing to say
  std::int64_t duration = 0;   // milliseconds, of the last one
  std::string subject;         // canonical JSON: what was built
  std::string image;           // its id; "" when none was made
  std::string error;           // "" when it went well
  std::string outcomes;        // of the steps, a character each
  std::optional<Digest> part;  // of what went into the steps; none: it did not come so far
};

class BuildTables {
 public:
  virtual ~BuildTables() = default;
  /// Builds beyond the newest so many go.
  virtual Status add_build(const BuildRow& row) = 0;
  /// Counts the newest row once more.
  virtual Status repeat_build(std::int64_t number, std::int64_t last, std::int64_t duration) = 0;
  virtual Result<std::optional<BuildRow>> newest_build() = 0;
  virtual Result<std::vector<BuildRow>> builds() = 0;  // newest first

  virtual Result<bool> has_part(const Digest& digest) = 0;
  /// The oldest parts go when there are too many bytes of them.
  virtual Status put_part(const Digest& digest, std::string_view body) = 0;
  virtual Result<std::optional<std::string>> find_part(const Digest& digest) = 0;
};

}  // namespace mybuild::snapshotter
