// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/challenge.h"

#include "builder/registry/url.h"

#include <algorithm>
#include <vector>

namespace mybuild::registry {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t';
}
bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads a header value piece by piece (RFC 9110, "Authentication Parameters").
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }
  void skip(bool commas) {
    while (!rest_.empty() && (is_space(rest_.front()) || (commas && rest_.front() == ','))) {
      rest_.remove_prefix(1);
    }
  }
  bool accept(char c) {
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const std::string_view text = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(text.size());
    return text;
  }
  bool value(std::string& text) {
    if (!accept('"')) {
      text = token();
      return !text.empty();
    }
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      }
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return accept('"');
  }

 private:
  std::string_view rest_;
};

/// One "name=value" or the name of the next scheme; false when the header is broken.
bool read_item(HeaderReader& reader, std::vector<Challenge>& challenges) {
  const std::string name = lower_case(reader.token());
  if (name.empty()) {
    return false;
  }
  reader.skip(/*commas=*/false);
  if (!reader.accept('=')) {
    challenges.push_back({name, {}});
    return true;
  }
  reader.skip(/*commas=*/false);
  std::string value;
  if (challenges.empty() || !reader.value(value)) {
    return false;
  }
  challenges.back().values[name] = std::move(value);
  return true;
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  HeaderReader reader(header);
  std::vector<Challenge> challenges;
  for (reader.skip(true); !reader.at_end(); reader.skip(true)) {
    if (!read_item(reader, challenges)) {
      return std::nullopt;
    }
  }
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "bearer") {
      return challenge;
    }
  }
  return challenges.empty() ? std::nullopt : std::optional(challenges.front());
}

}  // namespace mybuild::registry
