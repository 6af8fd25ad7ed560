// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/item_list.h"

#include "cmd/mybuild/cli/human_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kShortId = 12;

std::string when(std::int64_t seconds, Time now) {
  return seconds <= 0 ? "N/A" : ago(Time(std::chrono::seconds(seconds)), now);
}

/// Trees of whole chains keep the word in front, which no digits could replace.
std::string short_id(const std::string& id) {
  constexpr std::string_view kChain = "chain-";
  return id.substr(0, id.starts_with(kChain) ? kChain.size() + kShortId : kShortId);
}

std::string line(const CachePruneOptions& options, std::string_view id, std::string_view type,
                 std::string_view size, std::string_view last_used, std::string_view description) {
  std::string text =
      options.verbose
          ? fmt::format("{:<72}{:<22}{:<10}{:<22}{}", id, type, size, last_used, description)
          : fmt::format("{:<20}{:<22}{:<10}{}", id, type, size, last_used);
  for (char& byte : text) {  // an id is a user's word
    byte = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f ? '?' : byte;
  }
  return text + "\n";
}

OrderedJson time_json(std::int64_t seconds) {
  return seconds <= 0 ? OrderedJson()
                      : OrderedJson(format_rfc3339(Time(std::chrono::seconds(seconds))));
}

}  // namespace

std::string removed_heading(const CachePruneOptions& options) {
  return line(options, "ID", "TYPE", "SIZE", "LAST USED", "DESCRIPTION");
}

std::string removed_line(const space::Item& item, const CachePruneOptions& options, Time now) {
  return line(options, options.verbose ? item.id : short_id(item.id), to_string(item.type),
              human_size(item.size), when(item.last_used, now), item.description);
}

std::string removed_total(std::uint64_t bytes) {
  return fmt::format("Total:  {}\n", human_size(bytes));
}

OrderedJson items_json(const std::vector<space::Item>& items) {
  OrderedJson array = OrderedJson::array();
  for (const space::Item& item : items) {
    array.push_back({{"ID", item.id},
                     {"Type", to_string(item.type)},
                     {"Size", item.size},
                     {"CreatedAt", time_json(item.created)},
                     {"LastUsedAt", time_json(item.last_used)},
                     {"InUse", item.in_use},
                     {"Shared", item.needed},
                     {"Reclaimable", item.reclaimable()},
                     {"Name", item.name},
                     {"Description", item.description}});
  }
  return array;
}

std::string removed_json(const std::vector<space::Item>& removed, std::uint64_t bytes) {
  OrderedJson out = OrderedJson::object();
  out["Removed"] = items_json(removed);
  out["TotalSize"] = bytes;
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::vector<std::vector<std::string>> items_table(std::vector<space::Item> items, Time now) {
  std::stable_sort(items.begin(), items.end(),
                   [](const auto& a, const auto& b) { return a.last_used < b.last_used; });
  std::vector<std::vector<std::string>> lines = {
      {"CACHE ID", "TYPE", "SIZE", "CREATED", "LAST USED", "IN USE", "SHARED", "DESCRIPTION"}};
  for (const space::Item& item : items) {
    lines.push_back({short_id(item.id), std::string(to_string(item.type)), human_size(item.size),
                     when(item.created, now), when(item.last_used, now), item.in_use ? "yes" : "no",
                     item.needed ? "yes" : "no", item.description});
  }
  return lines;
}

}  // namespace mybuild::cli
