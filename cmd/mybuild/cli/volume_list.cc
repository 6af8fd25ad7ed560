// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/volume_list.h"

#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/list_format.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

constexpr ListField kFields[] = {
    {"CreatedAt", "CREATED AT"},  {"Driver", "DRIVER"},    {"Labels", "LABELS"}, {"Links", "LINKS"},
    {"Mountpoint", "MOUNTPOINT"}, {"Name", "VOLUME NAME"}, {"Scope", "SCOPE"},   {"Size", "SIZE"},
};
constexpr ListStyle kStyle = {.fields = kFields, .columns = "{{.Driver}}\t{{.Name}}"};

ListRow row_of(const run::VolumeInfo& volume) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : volume.labels) {
    labels.push_back(fmt::format("{}={}", key, value));
  }
  return {{"CreatedAt", local_time(volume.created)},
          {"Driver", "local"},
          {"Labels", fmt::format("{}", fmt::join(labels, ","))},
          {"Links", "N/A"},
          {"Mountpoint", volume.path},
          {"Name", volume.name},
          {"Scope", "local"},
          {"Size", "N/A"}};
}

bool wanted(const run::VolumeInfo& volume, const VolumeListOptions& options) {
  const auto [first, last] = options.filters.equal_range("name");
  return first == last || std::any_of(first, last, [&](const auto& filter) {
           return volume.name.find(filter.second) != std::string::npos;
         });
}

}  // namespace

Result<std::string> volume_list_text(const std::vector<run::VolumeInfo>& volumes,
                                     const VolumeListOptions& options) {
  std::vector<ListRow> rows;
  for (const run::VolumeInfo& volume : volumes) {
    if (wanted(volume, options)) {
      rows.push_back(row_of(volume));
    }
  }
  return list_text(kStyle, rows, options.quiet ? "{{.Name}}" : options.format);
}

nlohmann::ordered_json volume_json(const run::VolumeInfo& volume) {
  return {{"CreatedAt", format_rfc3339(volume.created)},
          {"Driver", "local"},
          {"Labels", volume.labels},
          {"Mountpoint", volume.path},
          {"Name", volume.name},
          {"Options", nullptr},
          {"Scope", "local"}};
}

}  // namespace mybuild::cli
