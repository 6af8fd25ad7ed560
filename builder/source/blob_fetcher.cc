// SPDX-License-Identifier: Apache-2.0
#include "builder/source/blob_fetcher.h"

#include "snapshotter/base/file.h"
#include "snapshotter/growing_blob.h"

#include <algorithm>
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
  bool is_left = false;  // somebody else fetches it, and nobody here needed it yet
  std::optional<Error> error;
  const std::shared_ptr<snapshotter::GrowingBlob> growing =
      std::make_shared<snapshotter::GrowingBlob>();

  /// With the mutex.
  void end(const oci::Descriptor& blob, Result<bool> fetched) {
    state = State::Done;
    is_left = fetched && !*fetched;
    if (fetched) {
      growing->end(blob);
    } else {
      error = fetched.error();
      growing->end(std::move(fetched).error());
    }
    done.notify_all();
  }
};

/// Passes bytes on to the draft, tells how far it got, and stops when nobody wants them any more.
class BlobFetcher::ProgressSink final : public Sink {
 public:
  ProgressSink(BlobFetcher& fetcher, const BlobWant& want, Sink& draft, Transfer& shown)
      : fetcher_(fetcher), want_(want), draft_(draft), shown_(shown) {
    report(false);
  }

  Status write(ByteSpan bytes) override {
    TRY(fetcher_.deps_.cancel.check());
    if (fetcher_.stopping_) {
      return make_error(ErrorKind::Cancelled, "nobody needs the blob any more");
    }
    TRY(draft_.write(bytes));
    shown_.growing->advance(bytes.size());
    written_ += bytes.size();
    const auto now = std::chrono::steady_clock::now();
    if (now - last_report_ >= kReportInterval) {
      last_report_ = now;
      report(false);
    }
    return {};
  }

  void report(bool done) { fetcher_.report(want_, written_, done); }

 private:
  BlobFetcher& fetcher_;
  const BlobWant& want_;
  Sink& draft_;
  Transfer& shown_;
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
  deps_.lanes.post(Lane::Net, [this, want, alive = std::weak_ptr(interest)] {
    if (!stopping_ && !alive.expired()) {
      static_cast<void>(fetch(want, IfClaimed::Leave));
    }
    const std::lock_guard lock(tasks_mutex_);
    if (--tasks_ == 0) {
      tasks_done_.notify_all();
    }
  });
}

Status BlobFetcher::ensure(const BlobWant& want) {
  return fetch(want, IfClaimed::Wait);
}

std::shared_ptr<BlobFetcher::Transfer> BlobFetcher::readable(const Digest& blob) {
  std::shared_ptr<Transfer> found;
  {
    auto transfers = transfers_.lock();
    const auto place = transfers->find(blob);
    if (place == transfers->end()) {
      return nullptr;
    }
    found = place->second;
  }
  {
    const std::lock_guard lock(found->mutex);
    if (found->state == Transfer::State::Idle) {
      return nullptr;
    }
  }
  return found->growing->wait_for_draft() ? found : nullptr;
}

Result<IncomingBlob> BlobFetcher::open(const BlobWant& want) {
  if (std::shared_ptr<Transfer> found = readable(want.blob.digest)) {
    const std::shared_ptr<snapshotter::GrowingBlob>& growing = found->growing;
    return IncomingBlob{.source = snapshotter::GrowingBlob::read(growing),
                        .verdict = [growing]() -> Status {
                          (void)TRY(growing->verdict());
                          return {};
                        }};
  }
  TRY(ensure(want));
  Fd blob = TRY(deps_.content.open(want.blob.digest));
  return IncomingBlob{.source = std::make_unique<FileSource>(std::move(blob)),
                      .verdict = [] { return Status(); }};
}

Status BlobFetcher::fetch(const BlobWant& want, IfClaimed if_claimed) {
  for (;;) {
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
      Result<bool> fetched = transfer(want, if_claimed, *shared);
      // Who asks from here on looks into the store again, or tries once more.
      transfers_.lock()->erase(want.blob.digest);
      lock.lock();
      shared->end(want.blob, std::move(fetched));
    }
    shared->done.wait(lock, [&] { return shared->state == Transfer::State::Done; });
    if (shared->error || !shared->is_left || if_claimed == IfClaimed::Leave) {
      return shared->error ? Status(*shared->error) : Status();
    }
  }
}

Result<bool> BlobFetcher::transfer(const BlobWant& want, IfClaimed if_claimed, Transfer& shown) {
  TRY(deps_.cancel.check());
  if (TRY(is_there(want))) {
    return true;
  }
  if (deps_.claims == nullptr) {
    TRY(download(want, shown));
    return true;
  }
  const std::optional<snapshotter::Claim> claim = TRY(this->claim(want, if_claimed));
  if (!claim) {
    return false;
  }
  if (TRY(is_there(want))) {
    report(want, want.blob.size, true);
  } else {
    TRY(download(want, shown));
  }
  return true;
}

Result<std::optional<snapshotter::Claim>> BlobFetcher::claim(const BlobWant& want,
                                                             IfClaimed if_claimed) {
  const std::string name = snapshotter::Claims::blob(want.blob.digest);
  std::optional<snapshotter::Claim> claim = TRY(deps_.claims->try_take({name}));
  if (claim || if_claimed == IfClaimed::Leave) {
    return claim;
  }
  claim = TRY(deps_.claims->take({name}, deps_.cancel, [&] { report(want, 0, false); }));
  return claim;
}

Result<bool> BlobFetcher::is_there(const BlobWant& want) {
  const auto known = TRY(deps_.content.stat(want.blob.digest));
  return known.has_value();
}

Status BlobFetcher::download(const BlobWant& want, Transfer& shown) {
  auto draft = TRY(deps_.content.begin({.digest = want.blob.digest, .size = want.blob.size}));
  shown.growing->begin(TRY(draft->reader()));
  ProgressSink sink(*this, want, *draft, shown);
  TRY(want.origin(want.blob, sink));
  TRY(std::move(*draft).commit().context("blob " + want.blob.digest.str()));
  sink.report(true);
  return {};
}

void BlobFetcher::report(const BlobWant& want, std::uint64_t current, bool done) {
  report({.vertex = want.vertex,
          .item = want.blob.digest.str(),
          .current = current,
          .total = want.blob.size,
          .done = done,
          .time = {}});
}

void BlobFetcher::report(solver::Progress progress) {
  progress.time = deps_.clock.now();
  const std::lock_guard lock(events_mutex_);
  deps_.events.on_event(std::move(progress));
}

}  // namespace mybuild::source
