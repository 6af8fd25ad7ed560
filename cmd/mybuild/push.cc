// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

/// docker's last line.
std::string report_text(const PushOptions& options, const builder::PushReport& report) {
  if (options.quiet) {
    return options.name.str() + "\n";
  }
  return fmt::format("{}: digest: {} size: {}\n", options.name.tag, report.manifest.digest.str(),
                     report.manifest.size);
}

}  // namespace

int push_verb(std::span<const std::string> args) {
  const auto reading = read_command(kPushCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const PushOptions& options = *reading.options;
  return run_transfer(options,
                      [&](builder::Engine& engine, solver::EventSink& events,
                          Cancel& cancel) -> Result<std::string> {
                        const builder::PushReport report =
                            TRY(engine.push(options.name, events, cancel));
                        return report_text(options, report);
                      });
}

}  // namespace mybuild::cli
