// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

using builder::FsckFinding;
using builder::FsckReport;

std::string json_text(const FsckReport& report) {
  Json damage = Json::array();
  for (const FsckFinding& finding : report.damage) {
    damage.push_back(Json{{"Type", finding.type},
                          {"ID", finding.id},
                          {"Problem", finding.problem},
                          {"Repaired", finding.repaired}});
  }
  const Json json = {{"Images", report.images},        {"Containers", report.containers},
                     {"Layers", report.layers},        {"LayerBytes", report.layer_bytes},
                     {"Blobs", report.blobs},          {"BlobBytes", report.blob_bytes},
                     {"CacheRecords", report.records}, {"Damage", std::move(damage)},
                     {"Sound", report.is_sound()}};
  return canonical_dump(json) + "\n";
}

std::string text_of(const FsckReport& report) {
  std::string text;
  for (const FsckFinding& finding : report.damage) {
    text += fmt::format("{} {}: {}{}\n", finding.type, finding.id, finding.problem,
                        finding.repaired ? " (removed)" : "");
  }
  text += fmt::format(
      "Checked {} images, {} containers, {} layers ({}), {} blobs ({}), {} cache records: ",
      report.images, report.containers, report.layers, human_size(report.layer_bytes), report.blobs,
      human_size(report.blob_bytes), report.records);
  if (report.damage.empty()) {
    return text + "no damage\n";
  }
  text += fmt::format("{} damaged\n", report.damage.size());
  const bool repair_helps = std::any_of(
      report.damage.begin(), report.damage.end(),
      [](const FsckFinding& finding) { return finding.can_be_repaired && !finding.repaired; });
  return repair_helps ? text +
                            "`mybuild fsck --repair` removes what is damaged; the next build or "
                            "pull makes it again\n"
                      : text;
}

}  // namespace

int fsck_verb(std::span<const std::string> args) {
  const auto reading = read_command(kFsckCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const FsckOptions& options = *reading.options;
  bool is_sound = true;
  const int done = run_transfer(options,
                                [&](builder::Engine& engine, solver::EventSink& events,
                                    Cancel& cancel) -> Result<std::string> {
                                  const FsckReport report =
                                      TRY(engine.fsck(options.repair, events, cancel));
                                  is_sound = report.is_sound();
                                  return options.json ? json_text(report) : text_of(report);
                                });
  return done == 0 && !is_sound ? 1 : done;
}

}  // namespace mybuild::cli
