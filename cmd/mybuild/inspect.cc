// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/go_template.h"
#include "cmd/mybuild/cli/image_list.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Result<std::string> describe(builder::Engine& engine, const std::string& name) {
  const auto row = TRY(engine.find_image(name));
  const std::string config = TRY(engine.image_config(row.config));
  std::vector<std::string> names;
  for (const auto& other : TRY(engine.images())) {
    if (other.config == row.config && !other.name.empty()) {
      names.push_back(other.name);
    }
  }
  const auto digests = TRY(engine.repo_digests(row.config));
  return inspect_json({.row = row, .digests = digests}, names, config);
}

Result<std::string> show(const std::string& json, const std::string& format) {
  return format == "json" ? json : render_template(format, json);
}

/// As docker: what was found is printed also when something else was not.
Result<int> inspect(const InspectOptions& options) {
  auto engine = TRY(open_engine(options.global));
  std::string out;
  int exit_code = 0;
  for (const std::string& name : options.names) {
    auto text = describe(*engine, name);
    if (text && !options.format.empty()) {
      text = show(*text, options.format);
    }
    if (!text) {
      exit_code = fail(text.error());
    } else if (!options.format.empty()) {
      out += *text + "\n";
    } else {
      out += (out.empty() ? "" : ",\n") + indented_element(*text);
    }
  }
  if (options.format.empty()) {
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
