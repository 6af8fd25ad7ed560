// SPDX-License-Identifier: Apache-2.0
// Screen: just enough of a terminal to see what a frame leaves on it. Anything that the printer
// should not send is an error. Rows that scroll out at the top are kept.
#pragma once

#include "cmd/mybuild/progress/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::progress {

class Screen {
 public:
  Screen(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows), lines_(1) {}

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      bytes.remove_prefix(bytes.front() == '\x1b' ? escape(bytes) : character(bytes));
    }
  }

  /// All rows without trailing blanks, the scrolled ones too.
  std::string text() const {
    std::string out;
    for (std::string line : lines_) {
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out.substr(0, out.size() - 1);
  }
  bool cursor_visible() const { return cursor_visible_; }

  /// A terminal that reflows: longer rows are broken into several.
  void narrow(std::size_t columns) {
    std::vector<std::string> broken;
    for (std::string line : lines_) {
      line.erase(line.find_last_not_of(' ') + 1);
      while (display_width(line) > columns) {
        std::string part = line;
        while (display_width(part) > columns) {
          part.pop_back();
          while (!part.empty() && (static_cast<unsigned char>(part.back()) & 0xC0U) == 0xC0U) {
            part.pop_back();
          }
        }
        broken.push_back(part);
        line = line.substr(part.size());
      }
      broken.push_back(line);
    }
    lines_ = broken;
    row_ = lines_.size() - 1;
    columns_ = columns;
  }

 private:
  std::size_t character(std::string_view bytes) {
    if (bytes.front() == '\n') {
      newline();
      return 1;
    }
    if (bytes.front() == '\r') {
      column_ = 0;
      return 1;
    }
    EXPECT_GE(static_cast<unsigned char>(bytes.front()), 0x20) << "a raw control character";
    std::size_t size = 1;
    while (size < bytes.size() && (static_cast<unsigned char>(bytes[size]) & 0xC0U) == 0x80) {
      ++size;
    }
    std::string& line = lines_[row_];
    if (column_ == 0) {
      line.clear();  // the printer always rewrites whole rows
    }
    line += bytes.substr(0, size);
    column_ = display_width(line);
    EXPECT_LT(column_, columns_) << "a row that may wrap: " << line;
    return size;
  }

  void newline() {
    column_ = 0;
    ++row_;
    if (row_ == lines_.size()) {
      lines_.emplace_back();
    }
  }

  std::size_t escape(std::string_view bytes) {
    const std::size_t end = bytes.find_first_of("ABCDHJKhlm", 2);
    const std::string_view parameters = bytes.substr(2, end - 2);
    switch (bytes[end]) {
      case 'A': {
        const auto up = static_cast<std::size_t>(std::stoul(std::string(parameters)));
        const std::size_t top = lines_.size() > rows_ ? lines_.size() - rows_ : 0;
        EXPECT_LE(up + top, row_) << "up into what has scrolled out";
        row_ -= std::min(up, row_);
        break;
      }
      case 'J':
        lines_.resize(row_ + 1);
        lines_[row_].clear();
        break;
      case 'K':
        if (column_ == 0) {
          lines_[row_].clear();
        }
        break;
      case 'h':
      case 'l':
        if (parameters == "?25") {
          cursor_visible_ = bytes[end] == 'h';
        }
        break;
      case 'm':
        break;
      default:
        ADD_FAILURE() << "unexpected sequence " << bytes.substr(1, end);
        break;
    }
    return end + 1;
  }

  std::size_t columns_;
  std::size_t rows_;
  std::vector<std::string> lines_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  bool cursor_visible_ = true;
};

}  // namespace mybuild::progress
