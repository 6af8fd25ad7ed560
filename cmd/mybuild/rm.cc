// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

/// As docker: the others are removed also when one cannot be, and with -f a missing one is no
/// failure.
Result<int> remove(const RmOptions& options) {
  auto engine = TRY(open_engine(options.global));
  int exit_code = 0;
  for (const std::string& name : options.names) {
    const Status removed =
        engine->containers().remove(name, {.force = options.force, .volumes = options.volumes});
    if (removed) {
      TRY(print_out(name + "\n"));
      continue;
    }
    const int failed = fail(removed.error());
    exit_code = options.force && removed.error().kind() == ErrorKind::NotFound ? exit_code : failed;
  }
  return exit_code;
}

}  // namespace

int rm_verb(std::span<const std::string> args) {
  const auto reading = read_command(kRmCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto done = remove(*reading.options);
  return done ? *done : fail(done.error());
}

}  // namespace mybuild::cli
