// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_list.h"

#include "cmd/mybuild/cli/image_list.h"
#include "cmd/mybuild/cli/list_format.h"
#include "cmd/mybuild/cli/values.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

namespace mybuild::cli {

namespace {

using run::Container;
using run::ContainerStatus;
using snapshotter::ImageRow;

constexpr ListField kContainerFields[] = {
    {"Command", "COMMAND"}, {"CreatedAt", "CREATED AT"}, {"ID", "CONTAINER ID"},
    {"Image", "IMAGE"},     {"Labels", "LABELS"},        {"LocalVolumes", "LOCAL VOLUMES"},
    {"Mounts", "MOUNTS"},   {"Names", "NAMES"},          {"Networks", "NETWORKS"},
    {"Ports", "PORTS"},     {"RunningFor", "CREATED"},   {"Size", "SIZE"},
    {"State", "STATE"},     {"Status", "STATUS"},
};
constexpr ListStyle kContainerStyle = {
    .fields = kContainerFields,
    .columns =
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
        "{{.Names}}"};

constexpr ListField kVolumeFields[] = {
    {"CreatedAt", "CREATED AT"},  {"Driver", "DRIVER"},    {"Labels", "LABELS"}, {"Links", "LINKS"},
    {"Mountpoint", "MOUNTPOINT"}, {"Name", "VOLUME NAME"}, {"Scope", "SCOPE"},   {"Size", "SIZE"},
};
constexpr ListStyle kVolumeStyle = {.fields = kVolumeFields, .columns = "{{.Driver}}\t{{.Name}}"};

std::string ago(Time then, Time now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - then);
  return human_duration(std::max(age, std::chrono::seconds(0)));
}

std::string status_text(const run::ContainerState& state, Time now) {
  switch (state.status) {
    case ContainerStatus::Created:
      return "Created";
    case ContainerStatus::Running:
      return "Up " + ago(state.started, now);
    case ContainerStatus::Exited:
      return fmt::format("Exited ({}) {} ago", state.exit_code, ago(state.finished, now));
  }
  return {};
}

std::string_view state_word(ContainerStatus status) {
  constexpr std::string_view kWords[] = {"created", "running", "exited"};
  return kWords[static_cast<std::size_t>(status)];
}

/// The first `limit` characters of UTF-8 text; what was cut shows as one.
std::string shortened(const std::string& text, std::size_t limit) {
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts)) <= limit) {
    return text;
  }
  std::size_t end = 0;
  for (std::size_t count = 0; count < limit; ++end) {
    count += starts(text[end]) ? 1 : 0;
  }
  return text.substr(0, end - 1) + "…";
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// As it was asked for, while that still means the image of the container.
std::string shown_image(const run::ContainerRecord& record, const std::vector<ImageRow>& images,
                        bool full_ids) {
  const auto name = oci::Reference::parse(record.image);
  const bool still = record.image_id.hex().starts_with(record.image) ||
                     std::any_of(images.begin(), images.end(), [&](const ImageRow& row) {
                       return row.config == record.image_id && name && row.name == name->str();
                     });
  return still      ? record.image
         : full_ids ? record.image_id.str()
                    : record.image_id.hex().substr(0, run::kShortId);
}

std::string mounts_text(const run::ContainerRecord& record, bool full) {
  constexpr std::size_t kShown = 15;
  std::vector<std::string> sources;
  for (const run::VolumeUse& use : record.volumes) {
    sources.push_back(full ? use.volume : shortened(use.volume, kShown));
  }
  for (const auto& mount : record.plan.mounts) {
    const bool is_volume =
        std::any_of(record.volumes.begin(), record.volumes.end(),
                    [&](const run::VolumeUse& use) { return use.target == mount.target; });
    if (!is_volume) {
      sources.push_back(full ? mount.source : shortened(mount.source, kShown));
    }
  }
  return fmt::format("{}", fmt::join(sources, ","));
}

ListRow row_of(const Container& container, const std::vector<ImageRow>& images, bool full,
               Time now) {
  constexpr std::size_t kShownCommand = 20;
  const run::ContainerRecord& record = container.record;
  const std::string command = fmt::format("{}", fmt::join(record.plan.argv, " "));
  const bool host = record.plan.network == sandbox::Network::Host;
  return {{"Command", quoted(full ? command : shortened(command, kShownCommand))},
          {"CreatedAt", local_time(record.created)},
          {"ID", full ? record.id : record.id.substr(0, run::kShortId)},
          {"Image", shown_image(record, images, full)},
          {"Labels", ""},
          {"LocalVolumes", std::to_string(record.volumes.size())},
          {"Mounts", mounts_text(record, full)},
          {"Names", record.name},
          {"Networks", host ? "host" : "none"},
          {"Ports", ""},
          {"RunningFor", ago(record.created, now) + " ago"},
          {"Size", "0B"},
          {"State", std::string(state_word(container.state.status))},
          {"Status", status_text(container.state, now)}};
}

bool extends(const std::vector<Digest>& layers, const std::vector<Digest>& base) {
  return layers.size() >= base.size() && std::equal(base.begin(), base.end(), layers.begin());
}

Result<bool> name_matches(const std::string& name, const std::string& pattern) {
  try {
    return std::regex_search(name, std::regex(pattern, std::regex::ECMAScript));
  } catch (const std::regex_error&) {
    return invalid_argument("'{}' is not a regular expression", pattern);
  }
}

Result<bool> matches(const Container& container, const std::string& key, const std::string& value) {
  const run::ContainerRecord& record = container.record;
  if (key == "name") {
    return name_matches(record.name, value);
  }
  if (key == "id") {
    return record.id.starts_with(value);
  }
  if (key == "status") {
    return state_word(container.state.status) == value;
  }
  if (key == "exited") {
    return container.state.status == ContainerStatus::Exited &&
           std::to_string(container.state.exit_code) == value;
  }
  if (key == "volume") {
    const auto& mounts = record.plan.mounts;
    return std::any_of(record.volumes.begin(), record.volumes.end(),
                       [&](const run::VolumeUse& use) { return use.volume == value; }) ||
           std::any_of(mounts.begin(), mounts.end(), [&](const auto& mount) {
             return mount.target == value || mount.source == value;
           });
  }
  return true;  // ancestor, which needs the images
}

/// Values of one key are alternatives, keys are not.
Result<bool> passes(const Container& container,
                    const std::multimap<std::string, std::string>& filters) {
  for (auto key = filters.begin(); key != filters.end(); key = filters.upper_bound(key->first)) {
    bool any = false;
    for (auto [at, end] = filters.equal_range(key->first); at != end && !any; ++at) {
      any = TRY(matches(container, at->first, at->second));
    }
    if (!any) {
      return false;
    }
  }
  return true;
}

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

nlohmann::ordered_json object_of(const run::VolumeInfo& volume) {
  return {{"CreatedAt", format_rfc3339(volume.created)},
          {"Driver", "local"},
          {"Labels", volume.labels},
          {"Mountpoint", volume.path},
          {"Name", volume.name},
          {"Options", nullptr},
          {"Scope", "local"}};
}

}  // namespace

Result<std::vector<Container>> wanted_containers(
    std::vector<Container> all, const PsOptions& options,
    const std::vector<std::vector<Digest>>& ancestors) {
  const bool by_status = options.filters.count("status") + options.filters.count("exited") > 0;
  const bool stopped_too = options.all || options.last > 0 || by_status;
  std::vector<Container> wanted;
  for (Container& container : all) {
    const bool related = options.filters.count("ancestor") == 0 ||
                         std::any_of(ancestors.begin(), ancestors.end(), [&](const auto& layers) {
                           return extends(container.record.layers, layers);
                         });
    if (related && (stopped_too || container.running()) &&
        TRY(passes(container, options.filters))) {
      wanted.push_back(std::move(container));
    }
  }
  if (options.last > 0 && wanted.size() > options.last) {
    wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(options.last), wanted.end());
  }
  return wanted;
}

Result<std::string> container_list_text(const std::vector<Container>& containers,
                                        const std::vector<ImageRow>& images,
                                        const PsOptions& options, Time now) {
  std::vector<ListRow> rows;
  for (const Container& container : containers) {
    rows.push_back(row_of(container, images, options.no_trunc, now));
  }
  return list_text(kContainerStyle, rows, options.quiet ? "{{.ID}}" : options.format);
}

Result<std::string> volume_list_text(const std::vector<run::VolumeInfo>& volumes,
                                     const VolumeListOptions& options) {
  std::vector<ListRow> rows;
  for (const run::VolumeInfo& volume : volumes) {
    const auto [first, last] = options.filters.equal_range("name");
    const bool wanted = first == last || std::any_of(first, last, [&](const auto& filter) {
                          return volume.name.find(filter.second) != std::string::npos;
                        });
    if (wanted) {
      rows.push_back(row_of(volume));
    }
  }
  return list_text(kVolumeStyle, rows, options.quiet ? "{{.Name}}" : options.format);
}

Result<std::string> volume_inspect_text(const std::vector<run::VolumeInfo>& volumes,
                                        const std::string& format) {
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  std::vector<ListRow> rows;
  for (const run::VolumeInfo& volume : volumes) {
    array.push_back(object_of(volume));
    rows.push_back(row_of(volume));
  }
  if (format.empty()) {
    return array.dump(4, ' ', false, kReplace) + "\n";
  }
  if (format != "json" && format != "{{json .}}") {
    return list_text(kVolumeStyle, rows, format);
  }
  std::string lines;
  for (const auto& object : array) {
    lines += object.dump(-1, ' ', false, kReplace) + "\n";
  }
  return lines;
}

}  // namespace mybuild::cli
