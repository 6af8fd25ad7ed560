// SPDX-License-Identifier: Apache-2.0
// LineSpeed: how fast layers come from the server, by those of this build, and the sink that gives
// one up which is dearer to fetch than to make. Layers that come side by side share the line, so
// its speed is that of all of them together. Thread-safe but for the sink.
#pragma once

#include "builder/cache_client/busy_time.h"
#include "snapshotter/base/bytes.h"
#include "snapshotter/base/result.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>

namespace mybuild::cache_client {

class LineSpeed {
 public:
  using Milliseconds = std::chrono::milliseconds;
  /// Smaller layers say more of the way's length than of its width.
  static constexpr std::uint64_t kTelling = 1 << 20;

  /// How long `bytes` take if nothing else comes; nullopt while too little came to tell.
  std::optional<Milliseconds> expected(std::uint64_t bytes) const;

 private:
  friend class PacedSink;
  std::atomic<std::uint64_t> bytes_{0};  // of all layers
  std::atomic<std::uint64_t> telling_bytes_{0};
  BusyTime telling_time_;
};

/// The errno of an error that says nothing of the server: who reads does not want any more.
inline constexpr int kEnough = ECANCELED;

/// Hands a layer on. After a second it fails, with kEnough, as soon as the whole layer, by what
/// came over the line meanwhile, would take longer than `limit`; time that the other sink takes
/// does not count.
class PacedSink final : public Sink {
 public:
  PacedSink(Sink& next, LineSpeed& speed, std::uint64_t size, std::chrono::milliseconds limit);
  Status write(ByteSpan bytes) override;
  bool has_given_up() const { return has_given_up_; }

 private:
  using Steady = std::chrono::steady_clock;
  Sink& next_;
  LineSpeed& speed_;
  const std::uint64_t size_;
  const std::chrono::milliseconds limit_;
  const bool is_telling_;
  const std::uint64_t before_;
  std::uint64_t own_ = 0;
  const Steady::time_point start_ = Steady::now();
  Steady::duration elsewhere_{};
  bool has_given_up_ = false;
  std::optional<BusyTime::One> telling_;
};

}  // namespace mybuild::cache_client
