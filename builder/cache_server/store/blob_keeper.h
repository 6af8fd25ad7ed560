// SPDX-License-Identifier: Apache-2.0
// BlobKeeper: the only way by which blobs come and go. What is linked (RepositoryTables) has its
// bytes: on the way in the bytes come first, on the way out the link goes first, and who removes
// bytes looks for links under a lock of that digest. So a blob that is uploaded again while it is
// collected stays, and a crash leaves bytes without a link at worst. Thread-safe; calls block on
// the disk.
#pragma once

#include "builder/cache_server/store/blob_store.h"
#include "builder/cache_server/store/meta_store.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/clock.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mybuild::cache_server {

class BlobKeeper {
 public:
  /// Both outlive it.
  BlobKeeper(BlobStore& blobs, MetaStore& meta) : blobs_(blobs), meta_(meta) {}

  /// Commits and links. InvalidArgument when the bytes are not those of `digest`; nothing is kept.
  Status keep(std::unique_ptr<BlobWriter> writer, const Digest& digest, const std::string& space,
              Time now);
  /// Links to `space` what one of `from` has, or what anybody has; false when none has it, or when
  /// its bytes are lost.
  Result<bool> share(const std::vector<std::string>& from, const Digest& digest,
                     const std::string& space, Time now);
  Result<bool> share_from_anywhere(const Digest& digest, const std::string& space, Time now);
  /// As BlobStore::open(). Where there is a link and no such bytes any more, all links and records
  /// of the blob are removed, so that somebody can bring it again.
  Result<std::unique_ptr<BlobReader>> open(const Digest& digest);
  /// As RepositoryTables::unlink_blob(), with the bytes if that was the last link.
  Result<bool> drop(const std::string& space, const Digest& digest);
  /// Of how many blobs open() found that they are lost.
  std::uint64_t lost() const { return lost_; }

  struct Removed {
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
    std::uint64_t unlinked = 0;  // bytes of links, where they count and not the blobs
  };
  /// RepositoryTables::unlink_unused(), then the bytes, a few hundred at a time until it is enough,
  /// there are no more, or `go_on` says no.
  Result<Removed> collect(
      Time before, std::uint64_t enough, const std::function<bool()>& go_on = [] { return true; });
  /// RepositoryTables::unlink_unused_of(), likewise.
  Result<Removed> collect_of(const std::string& space, Time before, std::uint64_t enough,
                             const std::function<bool()>& go_on);
  /// Bytes that no link leads to, of writers that were killed. One question for each blob there is,
  /// so seldom; ends early when `go_on` says no.
  Result<Removed> sweep(const std::function<bool()>& go_on);

 private:
  std::unique_lock<std::mutex> lock(const Digest& digest);
  // Under the lock of the digest.
  Result<bool> share_found(const Digest& digest, const std::string& space, Time now);
  Status forget(const Digest& digest);
  Status remove_free(const std::vector<RepositoryTables::Unused>& free, Removed& removed);
  /// False when there is a link.
  Result<bool> remove_unlinked(const Digest& digest);

  BlobStore& blobs_;
  MetaStore& meta_;
  std::array<std::mutex, 256> locks_;  // by the first byte of the digest
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace mybuild::cache_server
