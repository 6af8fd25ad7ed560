// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

namespace mybuild::cli {

namespace {

/// docker's lines, one for each name.
std::string report_text(const std::vector<builder::LoadedName>& report) {
  std::string out;
  for (const builder::LoadedName& loaded : report) {
    for (const oci::Reference& name : loaded.names) {
      out += "Loaded image: " + name.familiar() + "\n";
    }
    if (loaded.names.empty()) {
      out += "Loaded image ID: " + loaded.image_id.str() + "\n";
    }
  }
  return out;
}

}  // namespace

int load_verb(std::span<const std::string> args) {
  const auto reading = read_command(kLoadCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const LoadOptions& options = *reading.options;
  return run_transfer(options,
                      [&](builder::Engine& engine, solver::EventSink& events,
                          Cancel& cancel) -> Result<std::string> {
                        const std::vector<builder::LoadedName> report =
                            TRY(engine.load(options.input, events, cancel));
                        return report_text(report);
                      });
}

}  // namespace mybuild::cli
