// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/space/evictor.h"

#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

/// An image is pushed layer by layer, and named when the last one is there: of a slow push the
/// first ones go when there is nothing else.
constexpr std::chrono::hours kForgotten{2};

/// A length is announced for nothing: what others have just published does not go for one that is
/// more than this part of all.
constexpr std::uint64_t kMuch = 4;

std::uint64_t beyond(std::uint64_t bytes, std::uint64_t limit) {
  return bytes - std::min(bytes, limit);
}

/// What has to go so that a tenth of the limit is left, where a twentieth or less is.
std::uint64_t surplus(std::uint64_t kept, std::uint64_t limit) {
  return kept <= limit - limit / 20 ? 0 : beyond(kept, limit - limit / 10);
}

}  // namespace

Result<Evictor::Freed> Evictor::run(const GoOn& go_on) {
  const std::uint64_t kept = TRY(meta_.repositories().linked_bytes());
  const RecordTables::Counts records = TRY(meta_.records().counts());
  const Limits limits = limits_();
  const RecordTables::Enough enough{.blob_bytes = surplus(kept, limits.blobs),
                                    .record_bytes = surplus(records.bytes, limits.records),
                                    .used_before = clock_.now() - RepositoryTables::kInUse};
  Freed freed = limits.of_space ? TRY(free_of_spaces(*limits.of_space, go_on)) : Freed();
  if (enough.blob_bytes + enough.record_bytes > 0) {
    freed += TRY(free(enough, go_on));
  }
  return freed;
}

Result<Evictor::Freed> Evictor::make_room_of(const std::string& space, std::uint64_t wanted,
                                             const GoOn& go_on) {
  const std::uint64_t limit = limits_().of_space.value_or(0);
  const std::uint64_t kept = TRY(meta_.repositories().linked_bytes_of(space));
  return wanted > limit ? Freed() : free_of(space, beyond(kept + wanted, limit), go_on);
}

Result<Evictor::Freed> Evictor::free_of_spaces(std::uint64_t limit, const GoOn& go_on) {
  Freed freed;
  for (const std::string& space : TRY(meta_.repositories().spaces_above(limit - limit / 20))) {
    const std::uint64_t kept = TRY(meta_.repositories().linked_bytes_of(space));
    freed += TRY(free_of(space, surplus(kept, limit), go_on));
  }
  return freed;
}

/// What the namespace cannot do without is its own trouble, and not `missing`.
Result<Evictor::Freed> Evictor::free_of(const std::string& space, std::uint64_t enough,
                                        const GoOn& go_on) {
  Freed freed;
  std::uint64_t unlinked = 0;
  const Time now = clock_.now();
  const auto collect = [&](Time before) -> Status {
    const BlobKeeper::Removed removed =
        TRY(keeper_.collect_of(space, before, beyond(enough, unlinked), go_on));
    unlinked += removed.unlinked;
    freed.blobs += removed.blobs;
    freed.bytes += removed.bytes;
    return {};
  };
  TRY(collect(now - kForgotten));
  if (unlinked < enough) {
    freed.records =
        TRY(meta_.records().evict_of(space, enough - unlinked, now, [&]() -> Result<bool> {
          TRY(collect(now - kForgotten));
          return go_on();
        }));
  }
  TRY(collect(now - RepositoryTables::kInUse));
  return freed;
}

Result<Evictor::Freed> Evictor::make_room(std::uint64_t wanted, const GoOn& go_on) {
  const std::uint64_t kept = TRY(meta_.repositories().linked_bytes());
  const std::uint64_t limit = limits_().blobs;
  const std::uint64_t enough = beyond(kept + std::max(wanted, limit / 100), limit);
  const bool is_much = wanted > limit / kMuch;
  return wanted > limit ? Freed()
                        : free({.blob_bytes = enough,
                                .record_bytes = 0,
                                .used_before = is_much ? clock_.now() - RepositoryTables::kInUse
                                                       : Time::max()},
                               go_on);
}

Result<Evictor::Freed> Evictor::free(const RecordTables::Enough& enough, const GoOn& go_on) {
  Freed freed;
  const Time now = clock_.now();
  const auto left = [&] { return beyond(enough.blob_bytes, freed.bytes); };
  const auto collect = [&](Time before) -> Status {
    const BlobKeeper::Removed removed = TRY(keeper_.collect(before, left(), go_on));
    freed.blobs += removed.blobs;
    freed.bytes += removed.bytes;
    return {};
  };
  TRY(collect(now - kForgotten));
  if (left() > 0 || enough.record_bytes > 0) {
    const RecordTables::Enough rest{.blob_bytes = left(),
                                    .record_bytes = enough.record_bytes,
                                    .used_before = enough.used_before};
    freed.records = TRY(meta_.records().evict(rest, now, [&]() -> Result<bool> {
      TRY(collect(now - kForgotten));
      return go_on();
    }));
  }
  TRY(collect(now - RepositoryTables::kInUse));
  freed.missing = left();
  return freed;
}

}  // namespace mybuild::cache_server
