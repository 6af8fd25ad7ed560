// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_list.h"

#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/list_format.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using run::ContainerStatus;
using snapshotter::ImageRow;

constexpr ListField kFields[] = {
    {"Command", "COMMAND"}, {"CreatedAt", "CREATED AT"}, {"ID", "CONTAINER ID"},
    {"Image", "IMAGE"},     {"Labels", "LABELS"},        {"LocalVolumes", "LOCAL VOLUMES"},
    {"Mounts", "MOUNTS"},   {"Names", "NAMES"},          {"Networks", "NETWORKS"},
    {"Ports", "PORTS"},     {"RunningFor", "CREATED"},   {"Size", "SIZE"},
    {"State", "STATE"},     {"Status", "STATUS"},
};
constexpr ListStyle kStyle = {
    .fields = kFields,
    .columns =
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
        "{{.Names}}"};
constexpr ListStyle kSizeStyle = {
    .fields = kFields,
    .columns =
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
        "{{.Names}}\t{{.Size}}"};

std::string span(Time since, Time now) {
  const auto length = std::chrono::duration_cast<std::chrono::seconds>(now - since);
  return human_duration(std::max(length, std::chrono::seconds(0)));
}

std::string status_text(const run::ContainerState& state, Time now) {
  switch (state.status) {
    case ContainerStatus::Created:
      return "Created";
    case ContainerStatus::Running:
      return "Up " + span(state.started, now);
    case ContainerStatus::Exited:
      return fmt::format("Exited ({}) {}", state.exit_code, ago(state.finished, now));
  }
  return {};
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
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
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

std::string labels_text(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return text;
}

std::string size_text(const std::optional<builder::ContainerSize>& size) {
  return size ? fmt::format("{} (virtual {})", human_size(size->writable), human_size(size->root))
              : "0B";
}

/// As docker: an argument with a blank in it stands in quotes.
std::string command_text(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& arg : argv) {
    const bool plain = arg.find(' ') == std::string::npos;
    text += fmt::format("{}{}", text.empty() ? "" : " ", plain ? arg : "'" + arg + "'");
  }
  return text;
}

ListRow row_of(const ListedContainer& listed, const std::vector<ImageRow>& images, bool full,
               Time now) {
  constexpr std::size_t kShownCommand = 20;
  const run::ContainerRecord& record = listed.container.record;
  const run::ContainerState& state = listed.container.state;
  const std::string command = command_text(record.plan.argv);
  return {{"Command", quoted(full ? command : shortened(command, kShownCommand))},
          {"CreatedAt", local_time(record.created)},
          {"ID", full ? record.id : record.id.substr(0, run::kShortId)},
          {"Image", shown_image(record, images, full)},
          {"Labels", labels_text(record.labels)},
          {"LocalVolumes", std::to_string(record.volumes.size())},
          {"Mounts", mounts_text(record, full)},
          {"Names", record.name},
          {"Networks", run::network_name(record.plan.network)},
          {"Ports", ""},
          {"RunningFor", ago(record.created, now)},
          {"Size", size_text(listed.size)},
          {"State", run::to_string(state.status)},
          {"Status", status_text(state, now)}};
}

}  // namespace

Result<std::string> container_list_text(const std::vector<ListedContainer>& containers,
                                        const std::vector<ImageRow>& images,
                                        const PsOptions& options, Time now) {
  std::vector<ListRow> rows;
  for (const ListedContainer& container : containers) {
    rows.push_back(row_of(container, images, options.no_trunc, now));
  }
  return list_text(options.size ? kSizeStyle : kStyle, rows,
                   options.quiet ? "{{.ID}}" : options.format);
}

}  // namespace mybuild::cli
