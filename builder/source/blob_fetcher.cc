// SPDX-License-Identifier: Apache-2.0
#include "builder/source/blob_fetcher.h"

#include <optional>

namespace mybuild::source {

namespace {

constexpr std::chrono::milliseconds kReportInterval{100};

}  // namespace

/// One blob on its way, from the first who asks until it is there or has failed.
struct BlobFetcher::Transfer {
  enum class State { Idle, Running, Done };
  std::mutex mutex;
  std::condition_variable done;
  State state = State::Idle;
  std::optional<Error> error;
};

/// Passes bytes on to the draft, tells how far it got, and stops when nobody wants them any more.
class BlobFetcher::ProgressSink final : public Sink {
 public:
  ProgressSink(BlobFetcher& fetcher, const BlobWant& want, Sink& draft)
      : fetcher_(fetcher), want_(want), draft_(draft) {
    report(false);
  }

  Status write(ByteSpan bytes) override {
    TRY(fetcher_.cancel_.check());
    if (fetcher_.stopping_) {
      return make_error(ErrorKind::Cancelled, "nobody needs the blob any more");
    }
    TRY(draft_.write(bytes));
    written_ += bytes.size();
    const auto now = std::chrono::steady_clock::now();
    if (now - last_report_ >= kReportInterval) {
      last_report_ = now;
      report(false);
    }
    return {};
  }

  void report(bool done) {
    fetcher_.report({.vertex = want_.vertex,
                     .item = want_.blob.digest.str(),
                     .current = written_,
                     .total = want_.blob.size,
                     .done = done,
                     .time = {}});
  }

 private:
  BlobFetcher& fetcher_;
  const BlobWant& want_;
  Sink& draft_;
  std::uint64_t written_ = 0;
  std::chrono::steady_clock::time_point last_report_ = std::chrono::steady_clock::now();
};

BlobFetcher::~BlobFetcher() {
  stopping_ = true;
  std::unique_lock lock(tasks_mutex_);
  tasks_done_.wait(lock, [this] { return tasks_ == 0; });
}

void BlobFetcher::prefetch(const BlobWant& want, const Interest& interest) {
  {
    const std::lock_guard lock(tasks_mutex_);
    ++tasks_;
  }
  lanes_.post(Lane::Net, [this, want, alive = std::weak_ptr(interest)] {
    if (!stopping_ && !alive.expired()) {
      static_cast<void>(ensure(want));
    }
    const std::lock_guard lock(tasks_mutex_);
    if (--tasks_ == 0) {
      tasks_done_.notify_all();
    }
  });
}

Status BlobFetcher::ensure(const BlobWant& want) {
  std::shared_ptr<Transfer> shared;
  {
    auto transfers = transfers_.lock();
    std::shared_ptr<Transfer>& slot = (*transfers)[want.blob.digest];
    if (!slot) {
      slot = std::make_shared<Transfer>();
    }
    shared = slot;
  }
  std::unique_lock lock(shared->mutex);
  if (shared->state == Transfer::State::Idle) {
    shared->state = Transfer::State::Running;
    lock.unlock();
    Status status = transfer(want);
    // Who asks from here on looks into the store again, or tries once more.
    transfers_.lock()->erase(want.blob.digest);
    lock.lock();
    shared->state = Transfer::State::Done;
    if (!status) {
      shared->error = std::move(status).error();
    }
    shared->done.notify_all();
  }
  shared->done.wait(lock, [&] { return shared->state == Transfer::State::Done; });
  return shared->error ? Status(*shared->error) : Status();
}

Status BlobFetcher::transfer(const BlobWant& want) {
  TRY(cancel_.check());
  const auto known = TRY(content_.stat(want.blob.digest));
  if (known) {
    return {};
  }
  auto draft = TRY(content_.begin({.digest = want.blob.digest, .size = want.blob.size}));
  ProgressSink sink(*this, want, *draft);
  TRY(want.origin(want.blob, sink));
  TRY(std::move(*draft).commit().context("blob " + want.blob.digest.str()));
  sink.report(true);
  return {};
}

void BlobFetcher::report(solver::Progress progress) {
  progress.time = clock_.now();
  const std::lock_guard lock(events_mutex_);
  events_.on_event(std::move(progress));
}

}  // namespace mybuild::source
