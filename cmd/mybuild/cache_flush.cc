// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/transfer_options.h"
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

namespace mybuild::cli {

int cache_flush_verb(std::span<const std::string> args) {
  const auto reading = read_command(kCacheFlushCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  return run_transfer(*reading.options,
                      [](builder::Engine& engine, solver::EventSink& events,
                         Cancel& cancel) -> Result<std::string> {
                        TRY(engine.publish_left(events, cancel));
                        return std::string();
                      });
}

}  // namespace mybuild::cli
