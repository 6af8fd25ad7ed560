// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/history_list.h"

#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/list_format.h"
#include "cmd/mybuild/progress/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

constexpr std::size_t kShortId = 12;
constexpr std::size_t kInstructionWidth = 45;
constexpr std::string_view kMissing = "<missing>";  // only the newest line is an image
constexpr std::string_view kNoLayer = "-";

constexpr ListField kFields[] = {{"Comment", "COMMENT"},
                                 {"CreatedAt", "CREATED AT"},
                                 {"CreatedBy", "CREATED BY"},
                                 {"CreatedSince", "CREATED"},
                                 {"ID", "IMAGE"},
                                 {"Layer", "LAYER"},
                                 {"Size", "SIZE"}};
constexpr ListStyle kHumanStyle = {
    .fields = kFields,
    .columns = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Layer}}\t{{.Comment}}"};
constexpr ListStyle kExactStyle = {
    .fields = kFields,
    .columns = "{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Layer}}\t{{.Comment}}"};

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
  const bool known = entry.created && entry.created->time_since_epoch().count() > 0;
  return known ? ago(*entry.created, now) : "N/A";
}

class HistoryPrinter {
 public:
  HistoryPrinter(const Digest& image_id, const HistoryOptions& options, Time now)
      : image_id_(image_id), options_(options), now_(now) {}

  ListRow row(const Line& line, bool newest) const {
    return {{"Comment", progress::printable(line.entry->comment)},
            {"CreatedAt", date_of(*line.entry)},
            {"CreatedBy", instruction(*line.entry)},
            {"CreatedSince", age_of(*line.entry, now_)},
            {"ID", id(newest)},
            {"Layer", layer(line)},
            {"Size", size(line)}};
  }

 private:
  std::string id(bool newest) const {
    if (!newest) {
      return std::string(kMissing);
    }
    return options_.no_trunc ? image_id_.str() : image_id_.hex().substr(0, kShortId);
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

}  // namespace

Result<std::string> history_text(const Digest& image_id, const oci::ImageConfig& config,
                                 const std::vector<snapshotter::Layer>& layers,
                                 const HistoryOptions& options, Time now) {
  const HistoryPrinter printer(image_id, options, now);
  const std::vector<Line> lines = lines_of(config, layers);
  std::vector<ListRow> rows;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    rows.push_back(printer.row(lines[i], i == 0));
  }
  return list_text(options.human ? kHumanStyle : kExactStyle, rows,
                   options.quiet ? "{{.ID}}" : options.format);
}

}  // namespace mybuild::cli
