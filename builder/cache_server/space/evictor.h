// SPDX-License-Identifier: Apache-2.0
// Evictor: keeps the blobs of the server below a size. What nobody has needed for two hours goes
// first, then the layers of the records that are worth least, then what nobody has named yet though
// it came a quarter of an hour ago. Images, pins and what a lookup has promised stay, so there may
// be too much all the same. Space comes back all along, so who stops it early has what it freed.
// Thread-safe: several may be at work at once.
#pragma once

#include "builder/cache_server/store/blob_keeper.h"
#include "builder/cache_server/store/meta_store.h"
#include "builder/cache_server/store/record_tables.h"
#include "snapshotter/base/clock.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace mybuild::cache_server {

class Evictor {
 public:
  struct Limits {
    std::uint64_t blobs = 0;                // bytes that they may have in all
    std::uint64_t records = 0;              // likewise, as RecordTables::Counts has them
    std::optional<std::uint64_t> of_space;  // that the links of one namespace may have
  };
  /// All outlive it. `limits` gives those of now.
  Evictor(MetaStore& meta, BlobKeeper& keeper, const Clock& clock, std::function<Limits()> limits)
      : meta_(meta), keeper_(keeper), clock_(clock), limits_(std::move(limits)) {}

  struct Freed {
    std::uint64_t records = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
    std::uint64_t missing = 0;  // bytes that should have gone and may not
    Freed& operator+=(const Freed& other) {
      records += other.records;
      blobs += other.blobs;
      bytes += other.bytes;
      missing += other.missing;
      return *this;
    }
  };
  using GoOn = std::function<bool()>;
  /// When a twentieth of a limit or less is left it goes on until a tenth is, or `go_on` says no;
  /// of a namespace that is at its share by what it has itself. One question to the database if
  /// there is nothing to do: to be called every few seconds. For blobs no record goes that came in
  /// the last quarter of an hour: on a disk that others fill it would be gone before anybody asks.
  Result<Freed> run(const GoOn& go_on);
  /// For who cannot wait for the next run(): room for `wanted` bytes of blobs that come next, or
  /// for a hundredth of the limit if that is more. Nothing goes for what is larger than the limit,
  /// and nothing that came in the last quarter of an hour for what is larger than a quarter of it.
  Result<Freed> make_room(std::uint64_t wanted, const GoOn& go_on);
  /// Likewise within the share of a namespace, by what it has itself.
  Result<Freed> make_room_of(const std::string& space, std::uint64_t wanted, const GoOn& go_on);

 private:
  Result<Freed> free_of_spaces(std::uint64_t limit, const GoOn& go_on);
  Result<Freed> free_of(const std::string& space, std::uint64_t enough, const GoOn& go_on);
  Result<Freed> free(const RecordTables::Enough& enough, const GoOn& go_on);

  MetaStore& meta_;
  BlobKeeper& keeper_;
  const Clock& clock_;
  const std::function<Limits()> limits_;
};

}  // namespace mybuild::cache_server
