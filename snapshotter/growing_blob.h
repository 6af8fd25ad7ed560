// SPDX-License-Identifier: Apache-2.0
// GrowingBlob: a blob on its way into the store, to be read beside its writer, as far as it came.
// Nothing of it may be believed before its end. Thread-safe: one writer, any number of readers.
#pragma once

#include "snapshotter/archive/codec.h"
#include "snapshotter/base/bytes.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/oci/descriptor.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace mybuild::snapshotter {

class GrowingBlob {
 public:
  /// The writer's: there is a draft (content_store.h, Ingest::reader); so many bytes more are in
  /// it; what it became, or why it became nothing. Only the first end counts.
  void begin(Fd draft);
  void advance(std::size_t bytes);
  void end(Result<oci::Descriptor> blob);

  /// True when there is something to read, false when it ended without a draft.
  bool wait_for_draft();
  /// Waits until there is more of it than so much; false when it ended without.
  bool outgrows(std::uint64_t size);
  /// Waits for the end.
  Result<oci::Descriptor> verdict();
  /// The blob, if it is whole by now.
  std::optional<oci::Descriptor> whole();
  /// From its first byte. The end is told when all of it was verified; where it became nothing,
  /// reading fails.
  static std::unique_ptr<Source> read(std::shared_ptr<GrowingBlob> blob);

 private:
  class Reader;
  /// How far one can read beyond `offset`; not further than it only when the blob is whole.
  Result<std::uint64_t> wait_beyond(std::uint64_t offset);

  std::mutex mutex_;
  std::condition_variable changed_;
  Fd draft_;  // constant once written_ is not 0
  std::uint64_t written_ = 0;
  std::optional<Result<oci::Descriptor>> end_;
};

/// Hears of the draft of a blob in the given form. On the writer's thread: must not wait.
using OnDraft =
    std::function<void(const CompressionSpec& form, const std::shared_ptr<GrowingBlob>& blob)>;

}  // namespace mybuild::snapshotter
