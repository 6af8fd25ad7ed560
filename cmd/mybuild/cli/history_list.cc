// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/history_list.h"

#include "cmd/mybuild/cli/image_list.h"
#include "cmd/mybuild/progress/text.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kShortId = 12;
constexpr std::size_t kInstructionWidth = 45;
constexpr std::string_view kMissing = "<missing>";  // only the newest line is an image
constexpr std::string_view kNoLayer = "-";

/// A line of the history, oldest first.
struct Line {
  const oci::History* entry = nullptr;
  const snapshotter::Layer* layer = nullptr;  // null: the instruction made none
};

std::vector<Line> lines_of(const oci::ImageConfig& config,
                           const std::vector<snapshotter::Layer>& layers) {
  std::vector<Line> lines;
  std::size_t next = 0;
  for (const oci::History& entry : config.history) {
    const bool has_layer = !entry.empty_layer && next < layers.size();
    lines.push_back({.entry = &entry, .layer = has_layer ? &layers[next++] : nullptr});
  }
  static const oci::History kUnknown;  // a layer that the config says nothing of
  for (; next < layers.size(); ++next) {
    lines.push_back({.entry = &kUnknown, .layer = &layers[next]});
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::string date_of(const oci::History& entry) {
  return entry.created ? format_rfc3339(std::chrono::floor<std::chrono::seconds>(*entry.created))
                       : "N/A";
}

std::string age_of(const oci::History& entry, Time now) {
  if (!entry.created || entry.created->time_since_epoch().count() <= 0) {
    return "N/A";
  }
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *entry.created);
  return human_duration(std::max(age, std::chrono::seconds(0))) + " ago";
}

class HistoryPrinter {
 public:
  HistoryPrinter(const Digest& image_id, const HistoryOptions& options, Time now)
      : image_id_(image_id), options_(options), now_(now) {}

  std::vector<std::string> row(const Line& line, bool newest) const {
    return {id(newest), created(*line.entry), instruction(*line.entry),
            size(line), layer(line),          progress::printable(line.entry->comment)};
  }

  std::string id(bool newest) const {
    if (!newest) {
      return std::string(kMissing);
    }
    return options_.no_trunc ? image_id_.str() : image_id_.hex().substr(0, kShortId);
  }

  std::string json(const Line& line, bool newest) const {
    const OrderedJson out = {{"Comment", line.entry->comment},
                             {"CreatedAt", date_of(*line.entry)},
                             {"CreatedBy", instruction(*line.entry)},
                             {"CreatedSince", age_of(*line.entry, now_)},
                             {"ID", id(newest)},
                             {"Layer", layer(line)},
                             {"Size", size(line)}};
    return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  }

 private:
  std::string created(const oci::History& entry) const {
    return options_.human ? age_of(entry, now_) : date_of(entry);
  }
  std::string instruction(const oci::History& entry) const {
    const std::string text = progress::printable(entry.created_by);
    return options_.no_trunc ? text : progress::truncate(text, kInstructionWidth);
  }
  std::string size(const Line& line) const {
    const std::uint64_t bytes = line.layer == nullptr ? 0 : line.layer->size;
    return options_.human ? human_size(bytes) : std::to_string(bytes);
  }
  std::string layer(const Line& line) const {
    if (line.layer == nullptr) {
      return std::string(kNoLayer);
    }
    return options_.no_trunc ? line.layer->diff_id.str()
                             : line.layer->diff_id.hex().substr(0, kShortId);
  }

  const Digest& image_id_;
  const HistoryOptions& options_;
  const Time now_;
};

// --- du ------------------------------------------------------------------------------------------

struct Summary {
  std::string type;
  std::size_t total = 0;
  std::size_t active = 0;
  std::uint64_t size = 0;
  std::uint64_t reclaimable = 0;
};

std::vector<Summary> summaries(const builder::StoreUsage& usage) {
  Summary images{.type = "Images", .size = usage.image_bytes};
  images.total = usage.images.size();
  images.active = static_cast<std::size_t>(
      std::count_if(usage.images.begin(), usage.images.end(),
                    [](const auto& image) { return image.containers > 0; }));
  images.reclaimable = usage.image_bytes - usage.used_bytes;
  Summary cache{.type = "Build Cache", .size = usage.cache_bytes, .reclaimable = usage.cache_bytes};
  Summary blobs{.type = "Layer Blobs", .size = usage.blob_bytes, .reclaimable = usage.blob_bytes};
  for (const builder::LayerUsage& layer : usage.layers) {
    cache.total += layer.images == 0 ? 1 : 0;
    blobs.total += layer.blob_size > 0 ? 1 : 0;
  }
  return {images, cache, blobs};
}

std::string reclaimable(const Summary& line) {
  const std::string bytes = human_size(line.reclaimable);
  return line.size == 0 ? bytes
                        : fmt::format("{} ({}%)", bytes, line.reclaimable * 100 / line.size);
}

std::string summary_json(const Summary& line) {
  const OrderedJson out = {{"Active", std::to_string(line.active)},
                           {"Reclaimable", reclaimable(line)},
                           {"Size", human_size(line.size)},
                           {"SizeBytes", line.size},
                           {"TotalCount", std::to_string(line.total)},
                           {"Type", line.type}};
  return out.dump();
}

std::string age(std::int64_t created, Time now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return created <= 0
             ? "N/A"
             : human_duration(std::chrono::seconds(std::max<std::int64_t>(seconds - created, 0))) +
                   " ago";
}

std::string image_name(const builder::ImageUsage& image) {
  std::string all;
  for (const std::string& name : image.names) {
    const Result<oci::Reference> reference = oci::Reference::parse(name);
    all += (all.empty() ? "" : ", ") + (reference ? reference->familiar() : name);
  }
  return all.empty() ? "<none>" : all;
}

std::string images_table(const builder::StoreUsage& usage, Time now) {
  std::vector<std::vector<std::string>> lines = {
      {"IMAGE", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"}};
  for (const builder::ImageUsage& image : usage.images) {
    lines.push_back({image_name(image), image.config.hex().substr(0, kShortId),
                     age(image.created, now), human_size(image.size), human_size(image.shared),
                     human_size(image.unique()), std::to_string(image.containers)});
  }
  return table_text(lines);
}

std::string layers_table(const builder::StoreUsage& usage, Time now) {
  std::vector<std::vector<std::string>> lines = {
      {"LAYER", "CREATED", "SIZE", "BLOB SIZE", "IMAGES"}};
  for (const builder::LayerUsage& layer : usage.layers) {
    lines.push_back({layer.diff_id.hex().substr(0, kShortId), age(layer.created, now),
                     human_size(layer.size), human_size(layer.blob_size),
                     std::to_string(layer.images)});
  }
  return table_text(lines);
}

/// All of it, sizes in bytes.
std::string whole_json(const builder::StoreUsage& usage) {
  OrderedJson images = OrderedJson::array();
  for (const builder::ImageUsage& image : usage.images) {
    images.push_back({{"ID", image.config.str()},
                      {"Names", image.names},
                      {"Size", image.size},
                      {"SharedSize", image.shared},
                      {"UniqueSize", image.unique()},
                      {"Containers", image.containers}});
  }
  OrderedJson layers = OrderedJson::array();
  for (const builder::LayerUsage& layer : usage.layers) {
    layers.push_back({{"DiffID", layer.diff_id.str()},
                      {"Size", layer.size},
                      {"BlobSize", layer.blob_size},
                      {"Images", layer.images}});
  }
  const OrderedJson out = {{"ImagesSize", usage.image_bytes},
                           {"BuildCacheSize", usage.cache_bytes},
                           {"LayerBlobsSize", usage.blob_bytes},
                           {"Images", std::move(images)},
                           {"Layers", std::move(layers)}};
  return out.dump() + "\n";
}

}  // namespace

Result<std::string> history_text(const Digest& image_id, const oci::ImageConfig& config,
                                 const std::vector<snapshotter::Layer>& layers,
                                 const HistoryOptions& options, Time now) {
  const HistoryPrinter printer(image_id, options, now);
  const std::vector<Line> lines = lines_of(config, layers);
  if (options.quiet) {
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      out += printer.id(i == 0) + "\n";
    }
    return out;
  }
  if (options.format.json || !options.format.line.empty()) {
    return format_rows(options.format, lines.size(),
                       [&](std::size_t i) { return printer.json(lines[i], i == 0); });
  }
  std::vector<std::vector<std::string>> table = {{"IMAGE", options.human ? "CREATED" : "CREATED AT",
                                                  "CREATED BY", "SIZE", "LAYER", "COMMENT"}};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    table.push_back(printer.row(lines[i], i == 0));
  }
  return table_text(table);
}

Result<std::string> usage_text(const builder::StoreUsage& usage, const DuOptions& options,
                               Time now) {
  const std::vector<Summary> lines = summaries(usage);
  if (options.format.json && options.verbose) {
    return whole_json(usage);
  }
  if (options.format.json || !options.format.line.empty()) {
    return format_rows(options.format, lines.size(),
                       [&](std::size_t i) { return summary_json(lines[i]); });
  }
  std::vector<std::vector<std::string>> table = {
      {"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"}};
  for (const Summary& line : lines) {
    table.push_back({line.type, std::to_string(line.total), std::to_string(line.active),
                     human_size(line.size), reclaimable(line)});
  }
  std::string out = table_text(table);
  if (!usage.images.empty()) {
    out += "\n" + images_table(usage, now);
  }
  if (options.verbose && !usage.layers.empty()) {
    out += "\n" + layers_table(usage, now);
  }
  return out;
}

}  // namespace mybuild::cli
