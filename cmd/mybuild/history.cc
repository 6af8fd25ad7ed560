// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/history_list.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Status show(const HistoryOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const auto row = TRY(engine->find_image(options.image));
  const std::string document = TRY(engine->image_config(row.config));
  const oci::ImageConfig config = TRY(oci::parse_image_config(document));
  const auto layers = TRY(engine->image_layers(row.config));
  const std::string text =
      TRY(history_text(row.config, config, layers, options, SystemClock().now()));
  return print_out(text);
}

}  // namespace

int history_verb(std::span<const std::string> args) {
  const auto reading = read_command(kHistoryCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = show(*reading.options);
  return done ? 0 : fail(done.error());
}

}  // namespace mybuild::cli
