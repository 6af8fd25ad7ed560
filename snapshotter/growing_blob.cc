// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/growing_blob.h"

#include "snapshotter/base/sys.h"

#include <algorithm>
#include <utility>

namespace mybuild::snapshotter {

class GrowingBlob::Reader final : public Source {
 public:
  explicit Reader(std::shared_ptr<GrowingBlob> blob) : blob_(std::move(blob)) {}

  Result<std::size_t> read(MutableByteSpan buffer) override {
    const std::uint64_t end = TRY(blob_->wait_beyond(offset_));
    if (end <= offset_) {
      return std::size_t{0};
    }
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - offset_));
    const std::size_t count =
        TRY(sys::pread_full(blob_->draft_.get(), buffer.first(wanted), offset_));
    if (count < wanted) {
      return data_loss("the draft of a blob became shorter while it was written");
    }
    offset_ += count;
    return count;
  }

 private:
  const std::shared_ptr<GrowingBlob> blob_;
  std::uint64_t offset_ = 0;
};

void GrowingBlob::begin(Fd draft) {
  const std::lock_guard lock(mutex_);
  draft_ = std::move(draft);
  changed_.notify_all();
}

void GrowingBlob::advance(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  written_ += bytes;
  changed_.notify_all();
}

void GrowingBlob::end(Result<oci::Descriptor> blob) {
  const std::lock_guard lock(mutex_);
  if (!end_) {
    end_.emplace(std::move(blob));
  }
  changed_.notify_all();
}

bool GrowingBlob::wait_for_draft() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return end_ || draft_; });
  return static_cast<bool>(draft_);
}

bool GrowingBlob::outgrows(std::uint64_t size) {
  const Result<std::uint64_t> written = wait_beyond(size);
  return written && *written > size;
}

Result<oci::Descriptor> GrowingBlob::verdict() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return end_.has_value(); });
  return *end_;
}

std::optional<oci::Descriptor> GrowingBlob::whole() {
  const std::lock_guard lock(mutex_);
  return end_ && *end_ ? std::optional(**end_) : std::nullopt;
}

std::unique_ptr<Source> GrowingBlob::read(std::shared_ptr<GrowingBlob> blob) {
  return std::make_unique<Reader>(std::move(blob));
}

Result<std::uint64_t> GrowingBlob::wait_beyond(std::uint64_t offset) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return end_ || written_ > offset; });
  return end_ && !*end_ ? Result<std::uint64_t>(end_->error()) : written_;
}

}  // namespace mybuild::snapshotter
