// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/predicates.h"

#include "snapshotter/base/edit_distance.h"

#include <algorithm>
#include <array>

namespace mybuild::frontend::checks {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

template <std::size_t Count>
bool contains(const std::array<std::string_view, Count>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view known) {
    return std::equal(word.begin(), word.end(), known.begin(), known.end(),
                      [](char a, char b) { return lower(a) == b; });
  });
}

constexpr std::array<std::string_view, 10> kSecretWords{
    "apikey", "auth",  "credential", "credentials", "key",
    "passwd", "pword", "password",   "secret",      "token"};
constexpr std::array<std::string_view, 3> kHarmlessWords{"public", "file", "version"};

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kTooFar = 3;

}  // namespace

bool is_secret_name(std::string_view name) {
  bool secret = false;
  bool harmless = false;
  for (bool more = true; more;) {
    const auto end = name.find('_');
    const std::string_view word = name.substr(0, end);
    secret = secret || contains(kSecretWords, word);
    harmless = harmless || contains(kHarmlessWords, word);
    more = end != std::string_view::npos;
    name = more ? name.substr(end + 1) : std::string_view();
  }
  return secret && !harmless;
}

bool has_upper_protocol(std::string_view port) {
  const auto slash =
      port.find('/', port.rfind(':') == std::string_view::npos ? 0 : port.rfind(':'));
  return slash != std::string_view::npos &&
         std::any_of(port.begin() + static_cast<std::ptrdiff_t>(slash), port.end(),
                     [](char c) { return c != lower(c); });
}

bool names_host_port(std::string_view port) {
  const auto colon = port.rfind(':');
  return colon != std::string_view::npos && colon > 0;
}

std::string_view closest(std::string_view said, std::span<const std::string> names) {
  if (said.size() > kLongestName) {
    return {};
  }
  std::string_view best;
  std::size_t best_distance = kTooFar;
  for (const std::string& name : names) {
    if (name == said) {
      return {};
    }
    const std::size_t longer = std::max(name.size(), said.size());
    if (longer - std::min(name.size(), said.size()) >= best_distance) {
      continue;
    }
    const std::size_t distance = edit_distance(said, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

IgnoredSources::IgnoredSources(const std::vector<std::string>& patterns) {
  const auto is_exception = [](const std::string& pattern) { return pattern.starts_with('!'); };
  if (patterns.empty() || std::any_of(patterns.begin(), patterns.end(), is_exception)) {
    return;
  }
  auto matcher = PatternMatcher::compile(patterns);
  if (!matcher) {
    return;
  }
  matcher_.emplace(std::move(matcher).value());
  ignores_root_ = std::any_of(patterns.begin(), patterns.end(), [](const std::string& pattern) {
    return pattern == "*" || pattern == "**" || pattern == "**/*";
  });
}

bool IgnoredSources::ignores(std::string_view source) const {
  if (!matcher_) {
    return false;
  }
  std::string path = clean_path(source);
  path.erase(0, path.starts_with('/') ? 1 : 0);
  return path.empty() || path == "." ? ignores_root_ : matcher_->matches(path);
}

}  // namespace mybuild::frontend::checks
