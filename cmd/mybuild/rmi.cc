// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_options.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

/// As docker: the others are removed also when one cannot be.
Result<int> remove(const RmiOptions& options) {
  auto engine = TRY(open_engine(options.global));
  int exit_code = 0;
  for (const std::string& name : options.names) {
    const auto removed = engine->remove_image(name, options.force);
    if (!removed) {
      exit_code = fail(removed.error());
      continue;
    }
    for (const std::string& line : *removed) {
      TRY(print_out(line + "\n"));
    }
  }
  return exit_code;
}

}  // namespace

int rmi_verb(std::span<const std::string> args) {
  const auto reading = read_command(kRmiCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto done = remove(*reading.options);
  return done ? *done : fail(done.error());
}

}  // namespace mybuild::cli
