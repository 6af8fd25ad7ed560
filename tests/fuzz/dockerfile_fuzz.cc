// SPDX-License-Identifier: Apache-2.0
// A Dockerfile, all the way from bytes to the graph, on images that the fake resolver knows.
#include "frontend/dockerfile/dump.h"
#include "frontend/dockerfile/parser.h"
#include "tests/frontend/fake_resolver.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

namespace {

frontend::FrontendInput input_of(std::string_view text) {
  frontend::FrontendInput input = testing_support::input_of(std::string(text));
  input.build_args = {{"GIVEN", "given"}, {"HTTPS_PROXY", "http://proxy:3128"}};
  input.labels = {{"given", "label"}};
  input.contexts.emplace("files", frontend::LocalContext{});
  return input;
}

void check_place(const Error& error, const frontend::SourceMap& source) {
  if (const SourceLocation* place = error.location()) {
    require(place->first_line >= 0 && place->last_line <= source.line_count(),
            "an error is at a line of the file");
  }
}

}  // namespace

void run(std::string_view text) {
  const frontend::FrontendInput input = input_of(text);
  const frontend::SourceMap source(input.file_name, input.text);
  if (const auto document = frontend::parse(source, input.text)) {
    require(!frontend::dump_ast(*document).empty(), "a document has a dump");
  }
  testing_support::FakeResolver resolver;
  const auto built = frontend::build_dockerfile(input, resolver);
  if (!built) {
    require(!built.error().message().empty(), "an error says something");
    check_place(built.error(), source);
    return;
  }
  require(built->targets.size() == 1, "one platform, one target");
  const std::string config = oci::dump(built->targets[0].config);
  require(oci::parse_image_config(config).has_value(), "a config can be read back");

  testing_support::FakeResolver again;
  const auto second = frontend::build_dockerfile(input, again);
  require(second && solver::dump_json(second->graph) == solver::dump_json(built->graph),
          "equal input gives an equal graph");
}

}  // namespace mybuild::fuzz
