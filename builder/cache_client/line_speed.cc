// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/line_speed.h"

namespace mybuild::cache_client {

namespace {

using Milliseconds = std::chrono::milliseconds;

/// Before it a connection has hardly found its pace.
constexpr Milliseconds kFirstLook{1'000};

Milliseconds scaled(std::uint64_t bytes, Milliseconds time, std::uint64_t came) {
  return Milliseconds(static_cast<std::int64_t>(
      static_cast<double>(bytes) * static_cast<double>(time.count()) / static_cast<double>(came)));
}

}  // namespace

std::optional<Milliseconds> LineSpeed::expected(std::uint64_t bytes) const {
  const Milliseconds time = telling_time_.total();
  const std::uint64_t came = telling_bytes_;
  if (came == 0 || (came < kTelling && time < kFirstLook)) {
    return std::nullopt;
  }
  return scaled(bytes, time, came);
}

PacedSink::PacedSink(Sink& next, LineSpeed& speed, std::uint64_t size, Milliseconds limit)
    : next_(next),
      speed_(speed),
      size_(size),
      limit_(limit),
      is_telling_(size >= LineSpeed::kTelling),
      before_(speed.bytes_) {
  if (is_telling_) {
    telling_.emplace(speed_.telling_time_);
  }
}

Status PacedSink::write(ByteSpan bytes) {
  own_ += bytes.size();
  const std::uint64_t came = (speed_.bytes_ += bytes.size()) - before_;
  if (is_telling_) {
    speed_.telling_bytes_ += bytes.size();
  }
  const auto time = std::chrono::duration_cast<Milliseconds>(Steady::now() - start_ - elsewhere_);
  if (own_ < size_ && time >= kFirstLook && scaled(size_, time, came) > limit_) {
    has_given_up_ = true;
    return make_error(ErrorKind::Unavailable,
                      "it comes too slowly to be worth it: {} bytes in {} ms", came, time.count())
        .with_errno(kEnough);
  }
  const Steady::time_point begun = Steady::now();
  Status written = next_.write(bytes);
  elsewhere_ += Steady::now() - begun;
  return written;
}

}  // namespace mybuild::cache_client
