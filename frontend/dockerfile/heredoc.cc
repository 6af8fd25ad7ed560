// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/heredoc.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/expand.h"

namespace mybuild::frontend {

namespace {

// Variables mean nothing in a delimiter, so an unset $v has to survive the word splitting.
constexpr ExpandOptions kUnquoted{.keep_unset = true};
constexpr ExpandOptions kQuoted{.keep_quotes = true, .keep_unset = true};
constexpr ExpandOptions kRaw{.keep_quotes = true, .keep_escapes = true, .keep_unset = true};

std::vector<std::string> split(std::string_view text, const ExpandOptions& options) {
  return expand_words(text, EnvList(), options).value_or(std::vector<std::string>{});
}

}  // namespace

std::optional<Heredoc> parse_heredoc(std::string_view word) {
  std::size_t at = 0;
  while (at < word.size() && is_digit(static_cast<unsigned char>(word[at]))) {
    ++at;
  }
  if (word.substr(at, 2) != "<<") {
    return std::nullopt;
  }
  at += 2;
  const bool strip_tabs = at < word.size() && word[at] == '-';
  const std::string_view rest = trim_left(word.substr(at + (strip_tabs ? 1 : 0)));
  if (rest.empty() || rest.find('<') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::vector<std::string> name = split(rest, kUnquoted);
  const std::vector<std::string> raw = split(rest, kQuoted);
  if (name.size() != 1 || raw.size() != 1) {
    return std::nullopt;
  }
  return Heredoc{
      .name = name[0], .content = {}, .expand = name[0] == raw[0], .strip_tabs = strip_tabs};
}

std::vector<Heredoc> heredocs_in_line(std::string_view line) {
  std::vector<Heredoc> out;
  if (line.find("<<") == std::string_view::npos) {
    return out;
  }
  for (const std::string& word : split(line, kRaw)) {
    if (auto heredoc = parse_heredoc(word)) {
      out.push_back(std::move(*heredoc));
    }
  }
  return out;
}

std::string heredoc_text(const Heredoc& heredoc) {
  if (!heredoc.strip_tabs) {
    return heredoc.content;
  }
  std::string out;
  out.reserve(heredoc.content.size());
  bool at_start = true;
  for (const char c : heredoc.content) {
    if (at_start && c == '\t') {
      continue;
    }
    at_start = c == '\n';
    out += c;
  }
  return out;
}

}  // namespace mybuild::frontend
