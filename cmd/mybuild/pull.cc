// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

std::string status_text(const builder::PullReport& report, const std::string& name) {
  return fmt::format("Status: {} {}\n",
                     report.changed ? "Downloaded newer image for" : "Image is up to date for",
                     name);
}

/// docker's last lines.
std::string report_text(const PullOptions& options, const builder::PullReport& report) {
  const std::string name = report.name.familiar();
  const std::string full = report.name.str();
  if (options.quiet) {
    return full + "\n";
  }
  return fmt::format("Digest: {}\n{}{}\n", report.digest.str(), status_text(report, name), full);
}

/// Every tag: each digest, then once what became of them all.
Result<std::string> pull_all(const PullOptions& options, builder::Engine& engine,
                             solver::EventSink& events, const Cancel& cancel) {
  std::string text;
  builder::PullReport all;
  all.name = options.request.name;
  const auto note = [&](const builder::PullReport& report) -> Status {
    all.name = report.name;
    all.changed = all.changed || report.changed;
    text += fmt::format("{}: Digest: {}\n", report.name.tag, report.digest.str());
    return {};
  };
  TRY(engine.pull_all(options.request, note, events, cancel));
  const std::string full = repository_text(all.name, true);
  if (options.quiet) {
    return full + "\n";
  }
  return text + status_text(all, repository_text(all.name, false)) + full + "\n";
}

}  // namespace

int pull_verb(std::span<const std::string> args) {
  const auto reading = read_command(kPullCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const PullOptions& options = *reading.options;
  return run_transfer(options,
                      [&](builder::Engine& engine, solver::EventSink& events,
                          Cancel& cancel) -> Result<std::string> {
                        if (options.all_tags) {
                          return pull_all(options, engine, events, cancel);
                        }
                        const builder::PullReport report =
                            TRY(engine.pull(options.request, events, cancel));
                        return report_text(options, report);
                      });
}

}  // namespace mybuild::cli
