// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/verbs.h"
#include "snapshotter/base/cancel.h"

namespace mybuild::cli {

namespace {

Result<run::ContainerExit> start(const StartOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const Cancel cancel;
  return engine->start(options.name, options.interactive, cancel);
}

}  // namespace

int start_verb(std::span<const std::string> args) {
  const auto reading = read_command(kStartCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto ended = start(*reading.options);
  return ended ? report_exit(*ended) : fail(ended.error());
}

}  // namespace mybuild::cli
