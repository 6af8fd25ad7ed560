// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/usage_list.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Status show(const DuOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const auto usage = TRY(engine->usage());
  const std::string text = TRY(usage_text(usage, options, SystemClock().now()));
  return print_out(text);
}

}  // namespace

int du_verb(std::span<const std::string> args) {
  const auto reading = read_command(kDuCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = show(*reading.options);
  return done ? 0 : fail(done.error());
}

}  // namespace mybuild::cli
