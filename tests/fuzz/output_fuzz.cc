// SPDX-License-Identifier: Apache-2.0
// The value of --output.
#include "cmd/mybuild/cli/output_spec.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

void run(std::string_view text) {
  const auto spec = cli::parse_output(text);
  if (!spec) {
    require(!spec.error().message().empty(), "an error says something");
    return;
  }
  const bool is_file =
      spec->type == exporter::OutputType::Local || spec->type == exporter::OutputType::Tar;
  require(!is_file || !spec->dest.empty(), "what goes to a file or a directory has one");
  const auto again = cli::parse_output(text);
  require(again && again->type == spec->type && again->dest == spec->dest,
          "equal input gives an equal answer");
}

}  // namespace mybuild::fuzz
