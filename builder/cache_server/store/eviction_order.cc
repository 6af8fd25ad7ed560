// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_record_parts.h"

#include <algorithm>
#include <cmath>

namespace mybuild::cache_server {

namespace {

using snapshotter::Query;

constexpr double kMib = 1 << 20;
/// Of weight 1, in seconds to make a MiB; each weight above has kStep times as much.
constexpr double kCheap = 0.01;
constexpr double kStep = 8;
constexpr std::uint64_t kLeastBytes = 4096;
constexpr std::int64_t kPage = 256;

}  // namespace

std::int64_t eviction_weight(std::uint64_t cost_ms, std::uint64_t bytes) {
  const double seconds = static_cast<double>(cost_ms) / 1000;
  const double mib = static_cast<double>(bytes + kLeastBytes) / kMib;
  const double steps = std::log(std::max(seconds / mib / kCheap, 1.0)) / std::log(kStep);
  return std::min(1 + static_cast<std::int64_t>(steps), kMaxWeight);
}

Result<std::vector<std::int64_t>> eviction_order_of(snapshotter::SqliteConnection& db,
                                                    const std::string& space, std::int64_t now) {
  Query query =
      TRY(db.query("SELECT id FROM record JOIN record_use USING (id) WHERE space = ?1 AND "
                   "pinned = 0 AND record_use.kept_until <= ?2 "
                   "ORDER BY max(?2 - last_used, 1) * 1.0 / weight DESC, id"));
  query.bind(space).bind(now);
  std::vector<std::int64_t> ids;
  while (TRY(query.next())) {
    ids.push_back(query.integer(0));
  }
  return ids;
}

Result<std::vector<std::int64_t>> EvictionOrder::next(std::size_t count) {
  std::vector<std::int64_t> ids;
  while (ids.size() < count) {
    Stream* const stream = TRY(oldest());
    if (stream == nullptr) {
      break;
    }
    ids.push_back(stream->ahead.front().id);
    stream->ahead.pop_front();
  }
  return ids;
}

double EvictionOrder::age_of(std::int64_t weight, const Row& row) const {
  return static_cast<double>(std::max<std::int64_t>(now_ - row.last_used, 1)) /
         static_cast<double>(weight);
}

Result<EvictionOrder::Stream*> EvictionOrder::oldest() {
  Stream* oldest = nullptr;
  double age = 0;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto weight = static_cast<std::int64_t>(i) + 1;
    Stream& stream = streams_.at(i);
    while (stream.ahead.empty() && !stream.is_read_up) {
      TRY(read_page(weight, stream));
    }
    if (!stream.ahead.empty() && age_of(weight, stream.ahead.front()) > age) {
      oldest = &stream;
      age = age_of(weight, stream.ahead.front());
    }
  }
  return oldest;
}

// Those that are promised are left out here and not by the statement, which would hold up lookups
// until it has found a page of others.
Status EvictionOrder::read_page(std::int64_t weight, Stream& stream) {
  const auto db = reader_.lock();
  Query query =
      TRY(db->query("SELECT last_used, id, kept_until FROM record_use WHERE pinned = 0 AND "
                    "weight = ? AND (last_used, id) > (?, ?) ORDER BY last_used, id LIMIT ?"));
  query.bind(weight).bind(stream.last_read.last_used).bind(stream.last_read.id).bind(kPage);
  std::int64_t rows = 0;
  for (; TRY(query.next()); ++rows) {
    stream.last_read = {.last_used = query.integer(0), .id = query.integer(1)};
    if (query.integer(2) <= now_) {
      stream.ahead.push_back(stream.last_read);
    }
  }
  stream.is_read_up = rows < kPage;
  return {};
}

}  // namespace mybuild::cache_server
