// SPDX-License-Identifier: Apache-2.0
// What reading a Dockerfile costs: lines, and words with variables.
#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/lexer.h"
#include "tests/bench/micro/compare.h"

#include <fmt/format.h>

#include <cstring>
#include <unordered_map>

#include <benchmark/benchmark.h>

namespace mybuild::bench {

namespace {

std::string make_dockerfile(std::size_t steps) {
  std::string text = "# syntax=docker/dockerfile:1\nFROM busybox AS base\n";
  for (std::size_t i = 0; i < steps; ++i) {
    text += fmt::format("# step {}\nENV NAME{}=value-{} PATH=/opt/{}/bin:$PATH\n", i, i % 50, i, i);
    text += fmt::format("RUN apt-get update && \\\n    apt-get install -y package-{} && \\\n", i);
    text +=
        fmt::format("    make -C /src/{} install\nCOPY --chmod=644 src/{}/ /dest/{}/\n\n", i, i, i);
  }
  return text;
}

std::size_t lex(std::string_view text) {
  const frontend::SourceMap source("Dockerfile", text);
  frontend::Lexer lexer(source);
  std::size_t lines = 0;
  while (must(lexer.next())) {
    ++lines;
  }
  return lines;
}

std::size_t count_line_ends(std::string_view text) {
  std::size_t count = 0;
  for (const char* at = text.data();; ++at, ++count) {
    const auto left = static_cast<std::size_t>(text.data() + text.size() - at);
    at = static_cast<const char*>(std::memchr(at, '\n', left));
    if (at == nullptr) {
      return count;
    }
  }
}

Work lexing() {
  const auto text = std::make_shared<std::string>(make_dockerfile(5000));
  return {.ours = [text] { benchmark::DoNotOptimize(lex(*text)); },
          .limit = [text] { benchmark::DoNotOptimize(count_line_ends(*text)); },
          .bytes = text->size()};
}

struct Variables {
  frontend::EnvList env;
  std::unordered_map<std::string, std::string> plain;
  std::vector<std::string> names;
  std::vector<std::string> words;
};

std::shared_ptr<Variables> make_variables() {
  auto made = std::make_shared<Variables>();
  for (int i = 0; i < 100; ++i) {
    made->names.push_back(fmt::format("NAME_{}", i));
    const std::string value = fmt::format("/opt/package-{}/bin", i);
    made->env.set(made->names.back(), value);
    made->plain[made->names.back()] = value;
    made->words.push_back(fmt::format("\"$NAME_{}\":${{NAME_{}:-none}}/lib", i, 99 - i));
  }
  return made;
}

void expand_all(const Variables& variables) {
  for (const std::string& word : variables.words) {
    benchmark::DoNotOptimize(must(frontend::expand(word, variables.env, {})));
  }
}

void look_up_all(const Variables& variables) {
  for (std::size_t i = 0; i < variables.words.size(); ++i) {
    std::string text = variables.plain.find(variables.names[i])->second;
    text += ':';
    text += variables.plain.find(variables.names[99 - i])->second;
    text += "/lib";
    benchmark::DoNotOptimize(text);
  }
}

Work expansion() {
  const std::shared_ptr<Variables> variables = make_variables();
  return {.ours = [variables] { expand_all(*variables); },
          .limit = [variables] { look_up_all(*variables); },
          .items = variables->words.size()};
}

}  // namespace

std::string_view add_comparisons() {
  compare({.name = "lexer", .limit = "memchr of the line ends", .prepare = lexing});
  compare(
      {.name = "expansion, words", .limit = "the same look-ups and appends", .prepare = expansion});
  return "dockerfile";
}

}  // namespace mybuild::bench
