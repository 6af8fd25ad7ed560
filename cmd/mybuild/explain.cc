// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/explain_text.h"
#include "cmd/mybuild/cli/store_options.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Status show(const ExplainOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const Time now = SystemClock().now();
  if (options.list) {
    const auto builds = TRY(engine->builds());
    const std::string text = TRY(build_list_text(builds, options.format, now));
    return print_out(text);
  }
  const explain::Explanation explanation = TRY(engine->explain(options.build));
  return print_out(options.format == "json" ? explanation_json(explanation)
                                            : explanation_text(explanation, now));
}

}  // namespace

int explain_verb(std::span<const std::string> args) {
  const auto reading = read_command(kExplainCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = show(*reading.options);
  return done ? 0 : fail(done.error());
}

}  // namespace mybuild::cli
