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

std::uint64_t beyond(std::uint64_t bytes, std::uint64_t limit) {
  return bytes - std::min(bytes, limit);
}

}  // namespace

Result<Evictor::Freed> Evictor::run(const GoOn& go_on) {
  const std::uint64_t kept = TRY(meta_.repositories().linked_bytes());
  const std::uint64_t limit = limit_();
  return kept <= limit - limit / 20 ? Freed() : free(beyond(kept, limit - limit / 10), go_on);
}

Result<Evictor::Freed> Evictor::make_room(std::uint64_t wanted, const GoOn& go_on) {
  const std::uint64_t kept = TRY(meta_.repositories().linked_bytes());
  const std::uint64_t limit = limit_();
  const std::uint64_t enough = beyond(kept + std::max(wanted, limit / 100), limit);
  return wanted > limit ? Freed() : free(enough, go_on);
}

Result<Evictor::Freed> Evictor::free(std::uint64_t enough, const GoOn& go_on) {
  Freed freed;
  const Time now = clock_.now();
  const auto collect = [&](Time before) -> Status {
    const BlobKeeper::Removed removed =
        TRY(keeper_.collect(before, beyond(enough, freed.bytes), go_on));
    freed.blobs += removed.blobs;
    freed.bytes += removed.bytes;
    return {};
  };
  TRY(collect(now - kForgotten));
  if (freed.bytes < enough) {
    freed.records = TRY(meta_.records().evict(enough - freed.bytes, now, [&]() -> Result<bool> {
      TRY(collect(now - kForgotten));
      return go_on();
    }));
  }
  TRY(collect(now - RepositoryTables::kInUse));
  freed.missing = beyond(enough, freed.bytes);
  return freed;
}

}  // namespace mybuild::cache_server
