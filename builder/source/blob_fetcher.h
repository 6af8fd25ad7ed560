// SPDX-License-Identifier: Apache-2.0
// BlobFetcher: brings blobs into the content store, each at most once at a time, however many ask.
// What is on its way can be read already, as far as it came; whoever does must not believe it
// before the end.
// Nobody waits for a transfer that has not begun: who needs a blob that no thread is fetching
// fetches it himself, so bounded lanes cannot deadlock. What another build or process fetches is
// waited for by who needs it, never on a thread of the net lane. Thread-safe.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/claims.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/oci/descriptor.h"
#include "solver/progress.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace mybuild::source {

/// Streams a blob from where it is. The size is right if it succeeds; who keeps the bytes looks
/// whether they are what the digest says.
using BlobOrigin = std::function<Status(const oci::Descriptor& blob, Sink& sink)>;

struct BlobWant {
  oci::Descriptor blob;
  BlobOrigin origin;
  solver::VertexId vertex;  // whose progress it is
};

/// A blob to be read while it comes.
struct IncomingBlob {
  std::unique_ptr<Source> source;  // its end is told when all of it was verified
  /// Waits for the end of the transfer, and says how it ended.
  std::function<Status()> verdict;
};

class BlobFetcher {
 public:
  struct Deps {
    snapshotter::ContentStore& content;
    Lanes& lanes;
    solver::EventSink& events;
    const Cancel& cancel;
    const Clock& clock;
    const snapshotter::Claims* claims = nullptr;  // null: nobody else fetches into this store
  };
  explicit BlobFetcher(Deps deps) : deps_(deps) {}
  /// Stops what prefetch() left running and waits for its end.
  ~BlobFetcher();
  BlobFetcher(const BlobFetcher&) = delete;
  BlobFetcher& operator=(const BlobFetcher&) = delete;

  /// While it lives, what was handed to prefetch() with it is worth fetching.
  using Interest = std::shared_ptr<const bool>;
  static Interest interest() { return std::make_shared<const bool>(true); }

  /// Lets idle threads of the net lane begin; a failure shows when somebody needs the blob.
  void prefetch(const BlobWant& want, const Interest& interest);
  /// Returns when the blob is in the store.
  Status ensure(const BlobWant& want);
  /// Returns when a thread is fetching it, or when it is in the store. The fetcher must live as
  /// long as what it gave.
  Result<IncomingBlob> open(const BlobWant& want);
  /// Reports under a vertex; events of one vertex come one after the other.
  void report(solver::Progress progress);

 private:
  struct Transfer;
  class ProgressSink;

  /// What to do about a blob that somebody else fetches now.
  enum class IfClaimed { Wait, Leave };
  Status fetch(const BlobWant& want, IfClaimed if_claimed);
  /// False when it was left to somebody else.
  Result<bool> transfer(const BlobWant& want, IfClaimed if_claimed, Transfer& shown);
  /// One that has bytes to read; null if there is none.
  std::shared_ptr<Transfer> readable(const Digest& blob);
  Result<std::optional<snapshotter::Claim>> claim(const BlobWant& want, IfClaimed if_claimed);
  Result<bool> is_there(const BlobWant& want);
  Status download(const BlobWant& want, Transfer& shown);
  void report(const BlobWant& want, std::uint64_t current, bool done);

  const Deps deps_;
  Guarded<std::map<Digest, std::shared_ptr<Transfer>>> transfers_;
  std::mutex events_mutex_;
  std::mutex tasks_mutex_;
  std::condition_variable tasks_done_;
  std::size_t tasks_ = 0;
  std::atomic<bool> stopping_{false};
};

}  // namespace mybuild::source
