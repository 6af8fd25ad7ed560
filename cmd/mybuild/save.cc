// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

namespace mybuild::cli {

int save_verb(std::span<const std::string> args) {
  const auto reading = read_command(kSaveCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const SaveOptions& options = *reading.options;
  return run_transfer(options,
                      [&](builder::Engine& engine, solver::EventSink& events,
                          Cancel& cancel) -> Result<std::string> {
                        TRY(engine.save(options.names, options.output, events, cancel));
                        return std::string();
                      });
}

}  // namespace mybuild::cli
