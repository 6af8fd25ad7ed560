// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

/// docker's last lines.
std::string report_text(const PullOptions& options, const builder::PullReport& report) {
  const std::string name = report.name.familiar();
  const std::string full = report.name.str();
  if (options.quiet) {
    return full + "\n";
  }
  return fmt::format("Digest: {}\nStatus: {} {}\n{}\n", report.digest.str(),
                     report.changed ? "Downloaded newer image for" : "Image is up to date for",
                     name, full);
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
                        const builder::PullReport report =
                            TRY(engine.pull(options.request, events, cancel));
                        return report_text(options, report);
                      });
}

}  // namespace mybuild::cli
