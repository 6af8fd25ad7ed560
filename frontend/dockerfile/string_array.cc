// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/string_array.h"

#include "frontend/dockerfile/characters.h"
#include "snapshotter/base/json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace mybuild::frontend {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  /// nullopt unless the text is an array of strings and nothing else.
  std::optional<std::vector<std::string>> strings() {
    std::vector<std::string> out;
    if (!take('[')) {
      return std::nullopt;
    }
    if (!take(']')) {
      do {
        auto item = string();
        if (!item) {
          return std::nullopt;
        }
        out.push_back(std::move(*item));
      } while (take(','));
      if (!take(']')) {
        return std::nullopt;
      }
    }
    skip_blanks();
    return at_ == text_.size() ? std::optional(std::move(out)) : std::nullopt;
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool take(char c) {
    skip_blanks();
    const bool found = at_ < text_.size() && text_[at_] == c;
    at_ += found ? 1 : 0;
    return found;
  }

  std::optional<std::string> string() {
    if (!take('"')) {
      return std::nullopt;
    }
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      const CodePoint point = decode(text_, at_);
      if (point.value < 0x20) {
        return std::nullopt;
      }
      at_ += point.length;
      if (point.value != '\\' || !point.valid) {
        append_utf8(out, point.valid ? point.value : kReplacement);
      } else if (!escape(out)) {
        return std::nullopt;
      }
    }
    return take('"') ? std::optional(std::move(out)) : std::nullopt;
  }

  bool escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ == text_.size()) {
      return false;
    }
    const char letter = text_[at_++];
    if (letter == 'u') {
      return code_point(out);
    }
    const auto index = kLetters.find(letter);
    if (index == std::string_view::npos) {
      return false;
    }
    out += kMeanings[index];
    return true;
  }

  /// Four hexadecimal digits; nullopt when they are not there.
  std::optional<char32_t> unit() {
    constexpr std::size_t kDigits = 4;
    std::uint32_t value = 0;
    const std::string_view digits = text_.substr(at_, kDigits);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() != kDigits || error != std::errc() || stop != end) {
      return std::nullopt;
    }
    at_ += kDigits;
    return value;
  }

  bool code_point(std::string& out) {
    const auto first = unit();
    if (!first) {
      return false;
    }
    char32_t value = *first;
    if (value >= 0xD800 && value < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      const std::size_t before = at_;
      at_ += 2;
      const auto second = unit();
      if (!second) {
        return false;
      }
      const bool is_pair = *second >= 0xDC00 && *second <= 0xDFFF;
      value = is_pair ? 0x10000 + ((value - 0xD800) << 10) + (*second - 0xDC00) : kReplacement;
      at_ = is_pair ? at_ : before;
    }
    append_utf8(out, value >= 0xD800 && value <= 0xDFFF ? kReplacement : value);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The same text in UTF-8, for a strict reader.
std::string as_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    append_utf8(out, point.valid ? point.value : kReplacement);
    at += point.length;
  }
  return out;
}

}  // namespace

Result<std::optional<std::vector<std::string>>> parse_string_array(std::string_view text) {
  using Strings = std::optional<std::vector<std::string>>;
  text = trim_left(text);
  if (!text.starts_with('[')) {
    return Strings();
  }
  Strings strings = Reader(text).strings();
  if (!strings && Json::accept(as_utf8(text))) {
    return invalid_argument(
        "when using JSON array syntax, arrays must be comprised of strings only");
  }
  return strings;
}

}  // namespace mybuild::frontend
