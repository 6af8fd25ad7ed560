// SPDX-License-Identifier: Apache-2.0
#include "builder/export/layer_streams.h"

#include "snapshotter/base/log.h"

#include <algorithm>
#include <chrono>

namespace mybuild::exporter {

namespace {

/// Below what a registry gets at once (builder/registry/push.cc), so that there is room for blobs
/// that are whole.
constexpr std::ptrdiff_t kMostStreams = 4;
constexpr std::chrono::milliseconds kReportInterval{100};
/// For what is on its way to a registry when nobody needs it any more.
constexpr std::chrono::seconds kPatience{3};

}  // namespace

/// The bytes of a stream on their way out.
class LayerStream::Sent final : public Source {
 public:
  explicit Sent(LayerStream& stream)
      : stream_(stream), source_(snapshotter::GrowingBlob::read(stream.blob_)) {
    stream_.sent_ = 0;
  }
  Result<std::size_t> read(MutableByteSpan buffer) override {
    TRY(stream_.stop_.check());
    const Result<std::size_t> count = stream_.is_unwanted_ ? std::size_t{0} : source_->read(buffer);
    if (!count) {
      stream_.stop();  // the blob became nothing
      return std::size_t{0};
    }
    stream_.sent_ += *count;
    return *count;
  }

 private:
  LayerStream& stream_;
  const std::unique_ptr<Source> source_;
};

bool LayerStream::has_ended() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::Stored || state_ == State::Failed;
}

bool LayerStream::wait(const OnSent& on_sent) {
  const auto is_over = [this] { return state_ == State::Stored || state_ == State::Failed; };
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kReportInterval, is_over)) {
    lock.unlock();
    on_sent(sent_);
    lock.lock();
  }
  return state_ == State::Stored;
}

bool LayerStream::change(State from, State to) {
  const std::lock_guard lock(mutex_);
  const bool is_so = state_ == from;
  state_ = is_so ? to : state_;
  return is_so;
}

void LayerStream::end(State how) {
  const std::lock_guard lock(mutex_);
  state_ = how;
  ended_.notify_all();
}

/// What the registry has all of.
Result<oci::Descriptor> LayerStream::whole() {
  if (is_unwanted_) {
    return make_error(ErrorKind::Cancelled, "nobody needs the upload any more");
  }
  return blob_->verdict();
}

LayerStreams::~LayerStreams() {
  std::unique_lock lock(mutex_);
  for (const std::shared_ptr<LayerStream>& stream : streams_) {
    stream->change(LayerStream::State::Waiting, LayerStream::State::Failed);
    stream->stop();
  }
  const auto is_idle = [this] { return tasks_ == 0; };
  if (!idle_.wait_for(lock, kPatience, is_idle)) {
    for (const std::shared_ptr<LayerStream>& stream : streams_) {
      stream->stop_.request(make_error(ErrorKind::Cancelled, "the build is over"));
    }
  }
  idle_.wait(lock, is_idle);
}

void LayerStreams::begin(const oci::Reference& repository,
                         const std::shared_ptr<snapshotter::GrowingBlob>& blob) {
  const std::lock_guard lock(mutex_);
  const auto going = std::count_if(streams_.begin(), streams_.end(),
                                   [](const auto& stream) { return !stream->has_ended(); });
  if (going >= kMostStreams || refused_.contains(repository.domain)) {
    return;
  }
  oci::Reference place = repository;
  place.tag.clear();
  std::shared_ptr<LayerStream> stream(new LayerStream(std::move(place), blob, cancel_));
  streams_.push_back(stream);
  ++tasks_;
  lanes_.post(Lane::Net, [this, stream = stream.get()] {
    run(*stream);
    const std::lock_guard done(mutex_);
    if (--tasks_ == 0) {
      idle_.notify_all();
    }
  });
}

void LayerStreams::run(LayerStream& stream) {
  if (!stream.change(LayerStream::State::Waiting, LayerStream::State::Running)) {
    return;
  }
  const registry::BlobStream bytes{
      .open = [&stream]() -> Result<std::unique_ptr<Source>> {
        return std::unique_ptr<Source>(std::make_unique<LayerStream::Sent>(stream));
      },
      .blob = [&stream] { return stream.whole(); }};
  const Status sent = push_.stream(stream.repository_, bytes, stream.stop_, cancel_);
  if (!sent) {
    log::debug("a layer is sent when it is whole: {}", sent.error().message());
  }
  if (!sent && sent.error().kind() != ErrorKind::Cancelled) {
    const std::lock_guard lock(mutex_);
    refused_.insert(stream.repository_.domain);
  }
  stream.end(sent ? LayerStream::State::Stored : LayerStream::State::Failed);
}

std::shared_ptr<LayerStream> LayerStreams::find(const oci::Reference& repository,
                                                const Digest& blob) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<LayerStream> found;
  for (const std::shared_ptr<LayerStream>& stream : streams_) {
    const std::optional<oci::Descriptor> whole = stream->blob_->whole();
    if (!whole || whole->digest != blob || stream->repository_.domain != repository.domain ||
        stream->change(LayerStream::State::Waiting, LayerStream::State::Failed)) {
      continue;
    }
    if (found == nullptr || stream->repository_.repository == repository.repository) {
      found = stream;
    }
  }
  return found;
}

}  // namespace mybuild::exporter
