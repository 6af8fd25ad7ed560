// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/service.h"

#include "builder/cache_server/service/request_metrics.h"
#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace mybuild::cache_server {

namespace {

/// So long a request makes room; where much is too much the upkeep does the rest.
constexpr std::chrono::seconds kForOneRequest{1};
/// Who looked for room in vain has looked for all: it stays at that for so long, and for so many
/// times the time that it took.
constexpr std::chrono::seconds kAfterFailure{1};
constexpr int kRest = 20;
/// Files without a link are left by kill -9 only; nothing is read at the start.
constexpr std::chrono::hours kFirstSweep{1};
constexpr std::chrono::hours kSweep{24};

}  // namespace

Service::Service(ServerState& state, const ServeOptions& options,
                 std::function<void(const std::string&)> say)
    : state_(state),
      say_(std::move(say)),
      share_(options.max_size_per_namespace),
      keeper_(state.blobs(), state.meta()),
      room_(
          options.max_size, [directory = state.directory()] { return disk_space(directory); },
          [this] { return state_.meta().repositories().linked_bytes().value_or(0); }),
      evictor_(state.meta(), keeper_, clock_,
               [this] {
                 return Evictor::Limits{
                     .blobs = room_.limit(), .records = room_.record_limit(), .of_space = share_};
               }),
      next_sweep_(clock_.now() + kFirstSweep),
      access_(state.meta(), clock_, options.anonymous_read),
      registry_({.blobs = state.blobs(),
                 .keeper = keeper_,
                 .meta = state.meta(),
                 .clock = clock_,
                 .space_left = [this](std::uint64_t wanted) { return space_left(wanted); },
                 .share_left = [this](const std::string& space,
                                      std::uint64_t wanted) { return share_left(space, wanted); },
                 .anonymous_read = options.anonymous_read}),
      records_({.meta = state.meta(),
                .keeper = keeper_,
                .clock = clock_,
                .metrics = metrics_,
                .claims = claims_,
                .has_room = [this] { return has_room_for_records(); }}),
      admin_(state.meta(), clock_),
      front_({.access = access_,
              .metrics = metrics_,
              .registry = registry_,
              .records = records_,
              .admin = admin_,
              .is_ready = [this] { return is_ready(); }}) {
  describe_metrics();
}

void Service::describe_metrics() {
  describe_request_metrics(metrics_);
  metrics_.describe("mybuild_serve_evicted_records_total", "Records that had to go.");
  metrics_.describe("mybuild_serve_evicted_bytes_total", "Bytes of blobs that had to go.");
  metrics_.show("mybuild_serve_kept_bytes", "Bytes of blobs that are kept.", [this] {
    return static_cast<double>(state_.meta().repositories().linked_bytes().value_or(0));
  });
  metrics_.show("mybuild_serve_limit_bytes", "Bytes that blobs may have in all.",
                [this] { return static_cast<double>(room_.limit()); });
  metrics_.show("mybuild_serve_room_bytes", "Bytes that may come still.",
                [this] { return static_cast<double>(room_.left()); });
  metrics_.show("mybuild_serve_records", "Records of steps.", [this] {
    return static_cast<double>(
        state_.meta().records().counts().value_or(RecordTables::Counts()).records);
  });
  metrics_.show("mybuild_serve_record_bytes", "Bytes that records take in the database, about.",
                [this] {
                  return static_cast<double>(
                      state_.meta().records().counts().value_or(RecordTables::Counts()).bytes);
                });
  metrics_.show("mybuild_serve_open_uploads", "Uploads that are not finished.",
                [this] { return static_cast<double>(registry_.open_uploads()); });
  metrics_.show("mybuild_serve_claims", "Steps that somebody runs.",
                [this] { return static_cast<double>(claims_.size()); });
  metrics_.show("mybuild_serve_lost_blobs", "Blobs whose bytes were found to be gone or others.",
                [this] { return static_cast<double>(keeper_.lost()); });
}

// A cache that is full is still read from.
Status Service::is_ready() {
  TRY(state_.meta().access().find_space(std::string(kDefaultSpace)));
  return state_.is_damaged() ? Status(data_loss("the database is damaged; see what the server "
                                                "says at its next start"))
                             : Status();
}

void Service::upkeep(const std::function<bool()>& go_on) {
  registry_.drop_idle_uploads();
  if (clock_.now() >= next_upkeep_) {
    const Time began = clock_.now();
    if (evicted(evictor_.run(go_on)).missing > 0) {
      next_upkeep_ = clock_.now() + kRest * (clock_.now() - began);
    }
  }
  if (clock_.now() >= next_sweep_) {
    next_sweep_ = clock_.now() + kSweep;
    sweep(go_on);
  }
}

// Who comes to a full cache is not refused for what the next upkeep would let go.
std::uint64_t Service::space_left(std::uint64_t wanted) {
  const auto is_enough = [&](std::uint64_t left) { return left > 0 && left >= wanted; };
  if (const std::uint64_t left = room_.left(); is_enough(left)) {
    return left;
  }
  const std::lock_guard lock(making_room_);
  if (clock_.now() >= next_room_ && !is_enough(room_.left())) {
    const Time began = clock_.now();
    const auto go_on = [&] { return clock_.now() < began + kForOneRequest; };
    if (evicted(evictor_.make_room(wanted, go_on)).missing > 0) {
      const auto took = clock_.now() - began;
      next_room_ = clock_.now() + std::max<Time::duration>(kAfterFailure, kRest * took);
    }
  }
  return room_.left();
}

std::uint64_t Service::share_left(const std::string& space, std::uint64_t wanted) {
  if (!share_ || space.empty()) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  const auto left = [&] {
    const Result<std::uint64_t> kept = state_.meta().repositories().linked_bytes_of(space);
    return kept ? *share_ - std::min(*share_, *kept) : 0;
  };
  if (const std::uint64_t now = left(); now >= wanted) {
    return now;
  }
  const std::lock_guard lock(making_room_);
  if (const Time began = clock_.now(); began >= next_share_ && left() < wanted) {
    evicted(evictor_.make_room_of(space, wanted,
                                  [&] { return clock_.now() < began + kForOneRequest; }));
    if (left() < wanted) {
      const auto took = clock_.now() - began;
      next_share_ = clock_.now() + std::max<Time::duration>(kAfterFailure, kRest * took);
    }
  }
  return left();
}

bool Service::has_room_for_records() {
  const auto counts = state_.meta().records().counts();
  return counts && counts->bytes < room_.record_limit() && space_left(0) > 0;
}

/// Counts it and tells.
Evictor::Freed Service::evicted(const Result<Evictor::Freed>& freed) {
  if (!freed) {
    say_("ERROR: eviction: " + freed.error().message());
    return {};
  }
  metrics_.add("mybuild_serve_evicted_records_total", "", static_cast<double>(freed->records));
  metrics_.add("mybuild_serve_evicted_bytes_total", "", static_cast<double>(freed->bytes));
  if (freed->bytes > 0) {
    say_(fmt::format("evicted {} records and {} blobs of {} bytes", freed->records, freed->blobs,
                     freed->bytes));
  }
  return *freed;
}

void Service::sweep(const std::function<bool()>& go_on) {
  const Result<BlobKeeper::Removed> removed = keeper_.sweep(go_on);
  if (!removed) {
    say_("ERROR: looking for files that nothing needs: " + removed.error().message());
  } else if (removed->blobs > 0) {
    say_(fmt::format("removed {} files of {} bytes that nothing needs", removed->blobs,
                     removed->bytes));
  }
}

}  // namespace mybuild::cache_server
