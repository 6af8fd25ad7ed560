// SPDX-License-Identifier: Apache-2.0
// The flags in front of an instruction's arguments, alone and with every verb in front.
#include "frontend/dockerfile/flags.h"

#include "frontend/dockerfile/instructions.h"
#include "frontend/dockerfile/parser.h"
#include "frontend/dockerfile/words.h"
#include "tests/fuzz/fuzz.h"

#include <array>

namespace mybuild::fuzz {

namespace {

using frontend::FlagRule;
using frontend::Flags;
using frontend::FlagType;

constexpr std::array kRules{FlagRule{"text"}, FlagRule{"bool", FlagType::Bool},
                            FlagRule{"texts", FlagType::Texts}};
constexpr std::array<std::string_view, 18> kVerbs{
    "ADD",    "ARG",        "CMD",         "COPY",       "ENTRYPOINT", "ENV",
    "EXPOSE", "FROM",       "HEALTHCHECK", "MAINTAINER", "ONBUILD",    "RUN",
    "SHELL",  "STOPSIGNAL", "USER",        "VOLUME",     "WORKDIR",    "LABEL"};

void check_flags(std::string_view text) {
  const frontend::FlagsAndRest cut = frontend::split_flags(text);
  require(text.ends_with(cut.rest), "what follows the flags is the end of the text");
  for (const std::string& word : cut.flags) {
    require(word.size() >= 2, "a flag keeps its dashes");
  }
  const auto flags = Flags::parse(cut.flags, kRules);
  if (flags) {
    require(flags->texts("text").size() <= 1, "a flag with one value is there once");
    require(!flags->has("bool") || flags->boolean("bool").has_value(), "a boolean has a value");
  }
}

}  // namespace

void run(std::string_view input) {
  check_flags(input);
  for (const std::string_view verb : kVerbs) {
    std::string text(verb);
    text += ' ';
    text += input;
    const frontend::SourceMap source("Dockerfile", text);
    const auto document = frontend::parse(source, text);
    if (!document) {
      continue;
    }
    for (const frontend::Node& node : document->nodes) {
      const auto step = frontend::parse_step(node);
      require(step || !step.error().message().empty(), "an error says something");
    }
  }
}

}  // namespace mybuild::fuzz
