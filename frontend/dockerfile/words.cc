// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/words.h"

#include "frontend/dockerfile/characters.h"

#include <utility>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kBlanks = "\t\v\f\r ";

}  // namespace

HeadAndRest split_head(std::string_view text) {
  const auto blank = text.find_first_of(kBlanks);
  if (blank == std::string_view::npos) {
    return {text, {}, false};
  }
  const auto rest = text.find_first_not_of(kBlanks, blank);
  return {text.substr(0, blank),
          rest == std::string_view::npos ? std::string_view() : text.substr(rest), true};
}

std::vector<std::string> split_fields(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) {
    return out;
  }
  for (HeadAndRest cut{{}, text, true}; cut.has_rest;) {
    cut = split_head(cut.rest);
    out.emplace_back(cut.head);
  }
  return out;
}

std::vector<std::string> split_quoted(std::string_view text, char escape) {
  std::vector<std::string> out;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    const char c = text[at];
    if (quote == '\0' && point.valid && is_space(point.value)) {
      if (in_word && !word.empty()) {
        out.push_back(std::exchange(word, {}));
      }
      in_word = false;
      at += point.length;
      continue;
    }
    in_word = true;
    if (c == escape && quote != '\'') {
      // Keeps the escape with what it escapes, so that neither ends a word or a quote here.
      const std::size_t next = at + 1;
      if (next == text.size()) {
        break;
      }
      const std::size_t length = 1 + decode(text, next).length;
      word += text.substr(at, length);
      at += length;
      continue;
    }
    if (quote == '\0' ? c == '\'' || c == '"' : c == quote) {
      quote = quote == '\0' ? c : '\0';
    }
    word += text.substr(at, point.length);
    at += point.length;
  }
  if (!word.empty()) {
    out.push_back(std::move(word));
  }
  return out;
}

namespace {

/// Reads one flag word from the front of `text`, taking quotes and backslashes away.
std::string take_flag_word(std::string_view& text) {
  std::string word;
  char quote = '\0';
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (quote == '\0' && is_space(static_cast<unsigned char>(c)) &&
        static_cast<unsigned char>(c) < 0x80) {
      break;
    }
    if (quote == '\0' ? c == '\'' || c == '"' : c == quote) {
      quote = quote == '\0' ? c : '\0';
      continue;
    }
    if (c == '\\') {
      if (++at == text.size()) {
        break;
      }
      c = text[at];
    }
    word += c;
  }
  text.remove_prefix(at);
  return word;
}

}  // namespace

FlagsAndRest split_flags(std::string_view text) {
  FlagsAndRest out;
  text = trim_left(text);
  while (text.starts_with("--")) {
    std::string word = take_flag_word(text);
    if (word == "--") {
      break;
    }
    out.flags.push_back(std::move(word));
    text = trim_left(text);
  }
  out.rest = trim_left(text);
  return out;
}

}  // namespace mybuild::frontend
