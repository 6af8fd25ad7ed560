// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/transfer_options.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Status tag(const TagOptions& options) {
  auto engine = TRY(open_engine(options.global));
  return engine->tag_image(options.source, options.name);
}

}  // namespace

int tag_verb(std::span<const std::string> args) {
  const auto reading = read_command(kTagCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = tag(*reading.options);
  return done ? 0 : fail(done.error());
}

}  // namespace mybuild::cli
