// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/space/evictor.h"

#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

std::uint64_t beyond(std::uint64_t bytes, std::uint64_t limit) {
  return bytes - std::min(bytes, limit);
}

}  // namespace

Result<Evictor::Freed> Evictor::run(std::uint64_t wanted) {
  const std::lock_guard lock(running_);
  Freed freed;
  const std::uint64_t kept = TRY(meta_.repositories().linked_bytes());
  const std::uint64_t limit = limit_();
  const std::uint64_t short_of = wanted > limit ? 0 : beyond(kept + wanted, limit);
  if (kept <= limit - limit / 20 && short_of == 0) {
    return freed;
  }
  const std::uint64_t enough = std::max(beyond(kept, limit - limit / 10), short_of);
  TRY(collect(freed, enough));
  if (freed.bytes < enough) {
    freed.records = TRY(meta_.records().evict(enough - freed.bytes, clock_.now()));
    TRY(collect(freed, enough));
  }
  freed.missing = beyond(enough, freed.bytes);
  return freed;
}

// What was promised to somebody is not taken, be it a blob whose record is on its way.
Status Evictor::collect(Freed& freed, std::uint64_t enough) {
  const BlobKeeper::Removed removed =
      TRY(keeper_.collect(clock_.now(), beyond(enough, freed.bytes)));
  freed.blobs += removed.blobs;
  freed.bytes += removed.bytes;
  return {};
}

}  // namespace mybuild::cache_server
