// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_record_parts.h"
#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

using Facts = std::map<std::string, std::string>;
using snapshotter::Query;

/// Records of a step that are compared, the newest ones.
constexpr std::int64_t kCompared = 64;
constexpr std::size_t kNearest = 5;

bool has(const Facts& facts, const std::string& name, const std::string& value) {
  const auto found = facts.find(name);
  return found != facts.end() && found->second == value;
}

std::vector<std::string> differences(const Facts& left, const Facts& right) {
  std::vector<std::string> names;
  for (const auto& [name, value] : left) {
    if (!has(right, name, value)) {
      names.push_back(name);
    }
  }
  for (const auto& [name, value] : right) {
    if (!left.contains(name)) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Status find_near(snapshotter::SqliteConnection& db, const std::string& space,
                 const ExplainRequest& request, ExplainAnswer& nearest) {
  Query query =
      TRY(db.query("SELECT facts, body, signature FROM record_facts JOIN record USING (id) "
                   "WHERE record_facts.space = ? AND record_facts.step = ? "
                   "ORDER BY id DESC LIMIT ?"));
  query.bind(space).bind(request.step).bind(kCompared);
  while (TRY(query.next())) {
    const Json json = TRY(parse_json(query.text(0)));
    const Facts facts = TRY(JsonField(json, "").string_map());
    nearest.nearest.push_back(
        {.record = {.space = space, .body = query.text(1), .signature = query.bytes(2)},
         .different = differences(facts, request.facts)});
  }
  std::stable_sort(nearest.nearest.begin(), nearest.nearest.end(),
                   [](const auto& left, const auto& right) {
                     return left.different.size() < right.different.size();
                   });
  nearest.nearest.resize(std::min(nearest.nearest.size(), kNearest));
  return {};
}

}  // namespace mybuild::cache_server
