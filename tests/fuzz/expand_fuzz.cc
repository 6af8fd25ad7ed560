// SPDX-License-Identifier: Apache-2.0
// The word expander. The first line switches options on, a letter each; the rest is the word.
#include "frontend/dockerfile/expand.h"

#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

namespace {

frontend::EnvList variables() {
  frontend::EnvList env;
  env.set("A", "value");
  env.set("EMPTY", "");
  env.set("TWO", "two words");
  env.set("FILE", "/usr/lib/libx.so.1.2");
  env.set("ODD", "a*b?c\\d'e\"f$g}h\n\xC3\xA4");
  env.set("B", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
  return env;
}

frontend::ExpandOptions options_of(std::string_view letters) {
  const auto has = [&](char letter) { return letters.find(letter) != std::string_view::npos; };
  return {.escape = has('b') ? '`' : '\\',
          .keep_quotes = has('q'),
          .keep_escapes = has('e'),
          .ignore_quotes = has('i'),
          .keep_unset = has('u')};
}

}  // namespace

void run(std::string_view input) {
  constexpr std::size_t kLargest = std::size_t{4} << 20;
  const frontend::EnvList env = variables();
  const auto line = input.find('\n');
  const frontend::ExpandOptions options = options_of(input.substr(0, line));
  const std::string_view word =
      line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  const auto text = frontend::expand(word, env, options);
  const auto words = frontend::expand_words(word, env, options);
  require(text.has_value() == words.has_value(), "text and words fail together");
  if (!text) {
    require(!text.error().message().empty(), "an error says something");
    return;
  }
  require(text->text.size() < kLargest, "what a word becomes is bounded");
  for (const std::string& part : *words) {
    require(!part.empty(), "a word out of several is not empty");
  }
}

}  // namespace mybuild::fuzz
