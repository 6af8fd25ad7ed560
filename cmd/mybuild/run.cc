// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/run_options.h"
#include "cmd/mybuild/verbs.h"
#include "snapshotter/base/cancel.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

constexpr int kNotStarted = 125;  // docker's status when the fault is not the program's

Result<run::ContainerExit> start(const RunOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const Cancel cancel;
  return engine->run(options.request, cancel);
}

}  // namespace

int run_verb(std::span<const std::string> args) {
  const auto reading = read_command(kRunCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto ended = start(*reading.options);
  if (!ended) {
    return fail(ended.error(), kNotStarted);
  }
  if (!ended->start_error.empty()) {
    print_err(fmt::format("ERROR: {}\n", ended->start_error));
  }
  return ended->code;
}

}  // namespace mybuild::cli
