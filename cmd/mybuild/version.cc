// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_options.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

int version_verb(std::span<const std::string> args) {
  const auto reading = read_command(kVersionCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  return print_out("mybuild " MYBUILD_VERSION "\n") ? 0 : 1;
}

}  // namespace mybuild::cli
