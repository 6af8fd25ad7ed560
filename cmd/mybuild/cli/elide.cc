// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/elide.h"

#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

using progress::display_width;

constexpr std::string_view kDots = "…";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

/// The characters of UTF-8 text.
std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin + 1;
    while (end < text.size() && is_continuation(text[end])) {
      ++end;
    }
    out.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

/// How many characters from the front of `list` fit.
template <class Iterator>
std::string take(Iterator begin, Iterator end, std::size_t columns, bool from_back) {
  std::string out;
  std::size_t used = 0;
  for (; begin != end; ++begin) {
    used += display_width(*begin);
    if (used > columns) {
      break;
    }
    out = from_back ? std::string(*begin) + out : out + std::string(*begin);
  }
  return out;
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return progress::printable(out);
}

std::string elide_middle(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) {
    return std::string(text);
  }
  const std::vector<std::string_view> list = characters(text);
  const std::size_t front = columns / 2;
  const std::size_t back = columns - std::min(columns, front + 1);
  return take(list.begin(), list.end(), front, false) + std::string(kDots) +
         take(list.rbegin(), list.rend(), back, true);
}

std::pair<std::string, std::string> elide_pair(std::string_view was, std::string_view is,
                                               std::size_t columns) {
  constexpr std::size_t kContext = 12;  // characters before the first difference
  const std::size_t longest = std::max(display_width(was), display_width(is));
  std::size_t begin = 0;
  if (longest > columns) {
    const auto differs = std::mismatch(was.begin(), was.end(), is.begin(), is.end()).first;
    const auto same = static_cast<std::size_t>(differs - was.begin());
    begin = same > columns / 2 ? same - kContext : 0;
    while (begin > 0 && is_continuation(was[begin])) {
      --begin;
    }
  }
  const auto shown = [&](std::string_view text) {
    if (begin == 0) {
      return elide_middle(text, columns);
    }
    return std::string(kDots) + progress::truncate(text.substr(begin), columns - 1);
  };
  return {shown(was), shown(is)};
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string word = progress::truncate(text.substr(0, blank), columns);
    text.remove_prefix(std::min(blank + 1, text.size()));
    std::string& line = lines.back();
    if (!line.empty() && display_width(line) + 1 + display_width(word) > columns) {
      lines.push_back(word);
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return lines;
}

}  // namespace mybuild::cli
