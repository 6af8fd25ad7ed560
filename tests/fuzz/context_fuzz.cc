// SPDX-License-Identifier: Apache-2.0
// What PATH and the values of --build-context may be, and the first bytes of standard input.
#include "builder/context_spec.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

namespace {

using builder::NamedContextSpec;

void check_named(const std::string& text) {
  const auto named = builder::parse_named_context(text);
  if (!named) {
    require(!named.error().message().empty(), "an error says something");
    return;
  }
  if (const auto* directory = std::get_if<builder::DirectoryContext>(&*named)) {
    require(directory->path == text, "a directory is named as it is");
    require(!text.starts_with("http://") && !text.starts_with("https://"), "a URL is none");
  }
  if (const auto* file = std::get_if<solver::HttpSource>(&*named)) {
    require(file->filename == builder::kContextFile, "a file of a context has one name");
  }
  if (const auto* image = std::get_if<frontend::ImageContext>(&*named)) {
    require(oci::Reference::parse(image->reference.str()).has_value(),
            "the name of an image is the name of an image");
  }
}

}  // namespace

void run(std::string_view input) {
  const std::string text(input);
  check_named(text);
  check_named("docker-image://" + text);
  check_named("oci-layout://" + text);
  check_named("https://" + text);
  const auto remote = builder::parse_remote_context(input);
  const auto named = builder::parse_named_context(text);
  require(!remote || !*remote || named, "what can be a context can be a named one");
  static_cast<void>(builder::looks_like_archive(as_bytes(input)));
}

}  // namespace mybuild::fuzz
