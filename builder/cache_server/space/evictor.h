// SPDX-License-Identifier: Apache-2.0
// Evictor: keeps the blobs of the server below a size. What nobody needs goes first, then the
// layers of the records that are worth least; images, pins and what somebody was promised stay, so
// there may be too much all the same. Thread-safe.
#pragma once

#include "builder/cache_server/store/blob_keeper.h"
#include "builder/cache_server/store/meta_store.h"
#include "snapshotter/base/clock.h"

#include <cstdint>
#include <functional>
#include <mutex>

namespace mybuild::cache_server {

class Evictor {
 public:
  /// All outlive it. `limit` gives the bytes that blobs may have in all, as it is now.
  Evictor(MetaStore& meta, BlobKeeper& keeper, const Clock& clock,
          std::function<std::uint64_t()> limit)
      : meta_(meta), keeper_(keeper), clock_(clock), limit_(std::move(limit)) {}

  struct Freed {
    std::uint64_t records = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
    std::uint64_t missing = 0;  // bytes that should have gone and may not
  };
  /// When a twentieth of the limit or less is left it goes on until a tenth is; so there is always
  /// room for who comes, who is refused at the limit. One question to the database if there is
  /// nothing to do: to be called every few seconds.
  /// `wanted`: bytes that come next, for which there shall be room as well, if all there is may
  /// hold them.
  Result<Freed> run(std::uint64_t wanted = 0);

 private:
  Status collect(Freed& freed, std::uint64_t enough);

  MetaStore& meta_;
  BlobKeeper& keeper_;
  const Clock& clock_;
  const std::function<std::uint64_t()> limit_;
  std::mutex running_;
};

}  // namespace mybuild::cache_server
