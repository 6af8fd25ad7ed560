// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/names.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace mybuild::cache_server {

namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTag = 128;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_word(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/// What stands between two letters: "." or "_" or "__" or any number of "-".
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" ||
         text.find_first_not_of('-') == std::string_view::npos;
}

bool is_component(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t word = at;
    while (at < text.size() && is_lower_or_digit(text[at])) {
      ++at;
    }
    if (at == word) {
      return false;
    }
    const std::size_t gap = at;
    while (at < text.size() && !is_lower_or_digit(text[at])) {
      ++at;
    }
    if (at > gap && (at == text.size() || !is_separator(text.substr(gap, at - gap)))) {
      return false;
    }
  }
  return !text.empty();
}

}  // namespace

bool is_repository_name(std::string_view name) {
  if (name.size() > kMaxName) {
    return false;
  }
  for (;;) {
    const std::size_t slash = name.find('/');
    if (!is_component(name.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    name.remove_prefix(slash + 1);
  }
}

bool is_new_space_name(std::string_view name) {
  constexpr std::string_view kWords[] = {"blobs", "manifests", "referrers", "tags"};
  const auto is_part = [parts = fmt::format("/{}/", name)](std::string_view word) {
    return parts.find(fmt::format("/{}/", word)) != std::string::npos;
  };
  return is_repository_name(name) && std::none_of(std::begin(kWords), std::end(kWords), is_part);
}

bool is_tag_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTag && is_word(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_below(std::string_view repository, std::string_view space) {
  return space.empty() || repository == space ||
         (repository.size() > space.size() && repository.starts_with(space) &&
          repository[space.size()] == '/');
}

}  // namespace mybuild::cache_server
