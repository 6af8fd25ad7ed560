// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_list.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Result<std::string> describe(builder::Engine& engine, const std::string& name, bool compact) {
  const auto row = TRY(engine.find_image(name));
  const std::string config = TRY(engine.image_config(row.config));
  std::vector<std::string> names;
  for (const auto& other : TRY(engine.images())) {
    if (other.config == row.config && !other.name.empty()) {
      names.push_back(other.name);
    }
  }
  return inspect_text(row, names, config, compact);
}

/// As docker: what was found is printed also when something else was not.
Result<int> inspect(const InspectOptions& options) {
  auto engine = TRY(open_engine(options.global));
  std::string out;
  int exit_code = 0;
  for (const std::string& name : options.names) {
    const auto text = describe(*engine, name, options.compact);
    if (!text) {
      exit_code = fail(text.error());
    } else if (options.compact) {
      out += *text + "\n";
    } else {
      out += (out.empty() ? "" : ",\n") + *text;
    }
  }
  if (!options.compact) {
    out = out.empty() ? "[]\n" : "[\n" + out + "\n]\n";
  }
  TRY(print_out(out));
  return exit_code;
}

}  // namespace

int inspect_verb(std::span<const std::string> args) {
  const auto reading = read_command(kInspectCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto done = inspect(*reading.options);
  return done ? *done : fail(done.error());
}

}  // namespace mybuild::cli
