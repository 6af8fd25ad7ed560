// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace mybuild::cli {

namespace {

/// docker's last line.
std::string report_text(const oci::Reference& name, const builder::PushReport& report) {
  return fmt::format("{}: digest: {} size: {}\n", name.tag, report.manifest.digest.str(),
                     report.manifest.size);
}

Result<std::vector<oci::Reference>> names_of(const PushOptions& options, builder::Engine& engine) {
  if (!options.all_tags) {
    return std::vector{options.name};
  }
  auto names = TRY(engine.local_tags(options.name));
  if (names.empty()) {
    return not_found("no image here has a tag of {}", repository_text(options.name, false))
        .with_hint("`mybuild images` lists what there is; `mybuild tag` gives another name");
  }
  return names;
}

Result<std::string> push(const PushOptions& options, builder::Engine& engine,
                         solver::EventSink& events, Cancel& cancel) {
  std::string text;
  for (const oci::Reference& name : TRY(names_of(options, engine))) {
    text += report_text(name, TRY(engine.push(name, events, cancel)));
  }
  if (!options.quiet) {
    return text;
  }
  return (options.all_tags ? repository_text(options.name, true) : options.name.str()) + "\n";
}

}  // namespace

int push_verb(std::span<const std::string> args) {
  const auto reading = read_command(kPushCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const PushOptions& options = *reading.options;
  return run_transfer(options,
                      [&](builder::Engine& engine, solver::EventSink& events, Cancel& cancel) {
                        return push(options, engine, events, cancel);
                      });
}

}  // namespace mybuild::cli
