// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/usage_list.h"

#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/item_list.h"
#include "cmd/mybuild/cli/list_format.h"
#include "cmd/mybuild/cli/table_text.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;
using Lines = std::vector<std::vector<std::string>>;

constexpr ListField kFields[] = {{"Active", "ACTIVE"},    {"Reclaimable", "RECLAIMABLE"},
                                 {"Size", "SIZE"},        {"SizeBytes", "SIZE BYTES"},
                                 {"TotalCount", "TOTAL"}, {"Type", "TYPE"}};
constexpr ListStyle kStyle = {
    .fields = kFields,
    .columns = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"};

constexpr std::string_view kImages = "Images";
constexpr std::string_view kBuildCache = "Build Cache";

/// A line of the summary.
struct Summary {
  std::string type;
  std::size_t total = 0;
  std::size_t active = 0;
  std::uint64_t size = 0;
  std::uint64_t reclaimable = 0;

  void count(bool in_use, std::uint64_t bytes) {
    ++total;
    active += in_use ? 1 : 0;
    size += bytes;
    reclaimable += in_use ? 0 : bytes;
  }
  void add(const Summary& other) {
    total += other.total;
    active += other.active;
    size += other.size;
    reclaimable += other.reclaimable;
  }
};

/// What an item is a part of.
std::string_view line_of(const space::Item& item) {
  switch (item.place) {
    case space::Place::Tree:
      return item.needed ? kImages : kBuildCache;
    case space::Place::Blob:
      return "Blobs";
    case space::Place::Mirror:
      return "Git Mirrors";
    case space::Place::CacheMount:
      return "Cache Mounts";
    case space::Place::Index:
      return "Index";
  }
  return "";
}

/// Of layers that images have the sizes are known, of those that containers run from as well.
Summary images_summary(const builder::StoreUsage& usage) {
  Summary images{.type = std::string(kImages), .total = usage.images.size()};
  images.active = static_cast<std::size_t>(
      std::count_if(usage.images.begin(), usage.images.end(),
                    [](const auto& image) { return image.containers > 0; }));
  for (const space::Item& item : usage.items) {
    images.size += line_of(item) == kImages ? item.size : 0;
  }
  images.reclaimable = images.size - std::min(images.size, usage.used_bytes);
  return images;
}

std::vector<Summary> summaries(const builder::StoreUsage& usage) {
  Summary containers{.type = "Containers"};
  for (const builder::ContainerUsage& use : usage.containers) {
    containers.count(use.container.running(), use.size);
  }
  Summary volumes{.type = "Local Volumes"};
  for (const builder::VolumeUsage& volume : usage.volumes) {
    volumes.count(volume.containers > 0, volume.size);
  }
  std::vector<Summary> lines = {images_summary(usage), containers, volumes};
  for (const std::string_view type :
       {kBuildCache, std::string_view("Blobs"), std::string_view("Git Mirrors"),
        std::string_view("Cache Mounts"), std::string_view("Index")}) {
    Summary line{.type = std::string(type)};
    for (const space::Item& item : usage.items) {
      if (line_of(item) == type) {
        line.count(!item.reclaimable(), item.size);
      }
    }
    lines.push_back(std::move(line));
  }
  Summary all{.type = "Total"};
  for (const Summary& line : lines) {
    all.add(line);
  }
  lines.push_back(std::move(all));
  return lines;
}

std::string reclaimable(const Summary& line) {
  const std::string bytes = human_size(line.reclaimable);
  return line.size == 0 ? bytes
                        : fmt::format("{} ({}%)", bytes, line.reclaimable * 100 / line.size);
}

ListRow row_of(const Summary& line) {
  return {{"Active", std::to_string(line.active)},
          {"Reclaimable", reclaimable(line)},
          {"Size", human_size(line.size)},
          {"SizeBytes", line.size},
          {"TotalCount", std::to_string(line.total)},
          {"Type", line.type}};
}

std::string age(std::int64_t created, Time now) {
  return created <= 0 ? "N/A" : ago(Time(std::chrono::seconds(created)), now);
}

std::string image_name(const builder::ImageUsage& image) {
  std::string all;
  for (const std::string& name : image.names) {
    const Result<oci::Reference> reference = oci::Reference::parse(name);
    all += (all.empty() ? "" : ", ") + (reference ? reference->familiar() : name);
  }
  return all.empty() ? "<none>" : all;
}

Lines images_table(const builder::StoreUsage& usage, Time now) {
  Lines lines = {
      {"IMAGE", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"}};
  for (const builder::ImageUsage& image : usage.images) {
    lines.push_back({image_name(image), image.config.hex().substr(0, run::kShortId),
                     age(image.created, now), human_size(image.size), human_size(image.shared),
                     human_size(image.unique()), std::to_string(image.containers)});
  }
  return lines;
}

Lines containers_table(const builder::StoreUsage& usage, Time now) {
  Lines lines = {{"CONTAINER ID", "IMAGE", "CREATED", "SIZE", "STATE", "NAMES"}};
  for (const builder::ContainerUsage& use : usage.containers) {
    const run::ContainerRecord& record = use.container.record;
    lines.push_back({record.id.substr(0, run::kShortId), record.image, ago(record.created, now),
                     human_size(use.size), std::string(run::to_string(use.container.state.status)),
                     record.name});
  }
  return lines;
}

Lines volumes_table(const builder::StoreUsage& usage) {
  Lines lines = {{"VOLUME NAME", "LINKS", "SIZE"}};
  for (const builder::VolumeUsage& volume : usage.volumes) {
    lines.push_back({volume.name, std::to_string(volume.containers), human_size(volume.size)});
  }
  return lines;
}

/// Mirrors by remote, cache mounts by id.
Lines named_table(const builder::StoreUsage& usage, space::Place place, std::string heading) {
  Lines lines;
  for (const space::Item& item : usage.items) {
    if (item.place == place) {
      lines.push_back({item.name.empty() ? item.id : item.name, human_size(item.size),
                       item.in_use ? "yes" : "no"});
    }
  }
  std::sort(lines.begin(), lines.end());
  lines.insert(lines.begin(), {std::move(heading), "SIZE", "IN USE"});
  return lines;
}

Lines layers_table(const builder::StoreUsage& usage, Time now) {
  Lines lines = {{"LAYER", "CREATED", "SIZE", "BLOB SIZE", "IMAGES"}};
  for (const builder::LayerUsage& layer : usage.layers) {
    lines.push_back({layer.diff_id.hex().substr(0, run::kShortId), age(layer.created, now),
                     human_size(layer.size), human_size(layer.blob_size),
                     std::to_string(layer.images)});
  }
  return lines;
}

OrderedJson containers_json(const builder::StoreUsage& usage) {
  OrderedJson containers = OrderedJson::array();
  for (const builder::ContainerUsage& use : usage.containers) {
    const run::ContainerRecord& record = use.container.record;
    containers.push_back({{"ID", record.id},
                          {"Name", record.name},
                          {"Image", record.image},
                          {"State", run::to_string(use.container.state.status)},
                          {"Size", use.size}});
  }
  return containers;
}

OrderedJson images_json(const builder::StoreUsage& usage) {
  OrderedJson images = OrderedJson::array();
  for (const builder::ImageUsage& image : usage.images) {
    images.push_back({{"ID", image.config.str()},
                      {"Names", image.names},
                      {"Size", image.size},
                      {"SharedSize", image.shared},
                      {"UniqueSize", image.unique()},
                      {"Containers", image.containers}});
  }
  return images;
}

/// All of it, sizes in bytes.
std::string whole_json(const builder::StoreUsage& usage, const std::vector<Summary>& lines) {
  OrderedJson volumes = OrderedJson::array();
  for (const builder::VolumeUsage& volume : usage.volumes) {
    volumes.push_back(
        {{"Name", volume.name}, {"Size", volume.size}, {"Containers", volume.containers}});
  }
  OrderedJson layers = OrderedJson::array();
  for (const builder::LayerUsage& layer : usage.layers) {
    layers.push_back({{"DiffID", layer.diff_id.str()},
                      {"Size", layer.size},
                      {"BlobSize", layer.blob_size},
                      {"Images", layer.images}});
  }
  OrderedJson out = OrderedJson::object();
  for (const Summary& line : lines) {
    std::string key = line.type + "Size";
    std::erase(key, ' ');
    out[key] = line.size;
  }
  out["Images"] = images_json(usage);
  out["Containers"] = containers_json(usage);
  out["Volumes"] = std::move(volumes);
  out["Layers"] = std::move(layers);
  out["Items"] = items_json(usage.items);
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

/// --filter: the items that `prune` would speak of.
Result<std::string> filtered_text(const builder::StoreUsage& usage, const DuOptions& options,
                                  Time now) {
  const std::int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::int64_t age = options.filter.unused_for().value_or(std::chrono::seconds(0)).count();
  std::vector<space::Item> items;
  std::uint64_t bytes = 0;
  for (const space::Item& item : usage.items) {
    if (options.filter.matches(item) && seconds - item.last_seen() >= age) {
      bytes += item.size;
      items.push_back(item);
    }
  }
  if (options.format == "json") {
    return items_json(items).dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  }
  return table_text(items_table(std::move(items), now)) + "Total:  " + human_size(bytes) + "\n";
}

}  // namespace

Result<std::string> usage_text(const builder::StoreUsage& usage, const DuOptions& options,
                               Time now) {
  if (!options.filters.empty()) {
    return filtered_text(usage, options, now);
  }
  const std::vector<Summary> lines = summaries(usage);
  if (options.format == "json" && options.verbose) {
    return whole_json(usage, lines);
  }
  std::vector<ListRow> rows;
  for (const Summary& line : lines) {
    rows.push_back(row_of(line));
  }
  std::string out = TRY(list_text(kStyle, rows, options.format));
  if (!options.format.empty()) {
    return out;
  }
  std::vector<Lines> tables = {images_table(usage, now)};
  if (options.verbose) {
    tables.push_back(containers_table(usage, now));
    tables.push_back(volumes_table(usage));
    tables.push_back(layers_table(usage, now));
    tables.push_back(named_table(usage, space::Place::Mirror, "GIT REMOTE"));
    tables.push_back(named_table(usage, space::Place::CacheMount, "CACHE MOUNT"));
    tables.push_back(items_table(usage.items, now));
  }
  for (Lines& table : tables) {
    if (table.size() > 1) {
      out += "\n" + table_text(std::move(table));
    }
  }
  return out;
}

}  // namespace mybuild::cli
