// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/source_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mybuild::frontend {

namespace {

// Of long lines and ranges an excerpt shows the front only: one is made for every vertex.
constexpr std::size_t kShownWidth = 400;
constexpr int kShownLines = 60;

std::string_view trim_right(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
}

}  // namespace

SourceMap::SourceMap(std::string file, std::string_view text)
    : file_(std::move(file)), text_(text) {
  for (std::size_t at = 0; at <= text_.size();) {
    starts_.push_back(at);
    const auto end = text_.find('\n', at);
    if (end == std::string_view::npos) {
      break;
    }
    at = end + 1;
  }
}

std::string_view SourceMap::line(int number) const {
  const auto index = static_cast<std::size_t>(number) - 1;
  const std::size_t start = starts_[index];
  const std::size_t end = index + 1 < starts_.size() ? starts_[index + 1] - 1 : text_.size();
  return text_.substr(start, end - start);
}

SourceLocation SourceMap::locate(LineRange range) const {
  SourceLocation place{
      .file = file_, .first_line = range.first, .last_line = range.last, .excerpt = {}};
  if (range.first >= 1 && range.first <= line_count()) {
    place.excerpt = excerpt({range.first, std::min(range.last, line_count())});
  }
  return place;
}

std::string SourceMap::excerpt(LineRange range) const {
  // A single line gets up to four lines of company, a range two, shared out evenly as long as there
  // are any.
  const int wanted = range.first == range.last ? 4 : 2;
  int first = range.first;
  int last = range.last;
  for (int added = 0; added < wanted; ++added) {
    if (first > 1) {
      --first;
      ++added;
    }
    if (last != line_count()) {
      ++last;
      ++added;
    }
  }
  std::string out;
  for (int number = first; number <= last; ++number) {
    if (number - first >= kShownLines && number < range.last) {
      out += " ... |\n";
      number = range.last;
    }
    const bool marked = number >= range.first && number <= range.last;
    const std::size_t start = out.size();
    fmt::format_to(std::back_inserter(out), " {:3} | {} {}", number, marked ? ">>>" : "   ",
                   line(number).substr(0, kShownWidth));
    out.resize(start + trim_right(std::string_view(out).substr(start)).size());
    out += '\n';
  }
  return out;
}

}  // namespace mybuild::frontend
