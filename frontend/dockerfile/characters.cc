// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/characters.h"

#include <algorithm>
#include <array>
#include <span>

namespace mybuild::frontend {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

bool in_ranges(std::span<const Range> ranges, char32_t value) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), value,
                                      [](char32_t v, const Range& r) { return v < r.first; });
  return after != ranges.begin() && value <= std::prev(after)->last;
}

// Blocks beyond ASCII without letters: punctuation, symbols, blanks, controls, private use, emoji.
// Coarse on purpose; it only decides where a variable's name ends.
constexpr std::array kNotLetters{
    Range{0x80, 0xA9},        Range{0xAB, 0xB4},     Range{0xB6, 0xB9},     Range{0xBB, 0xBF},
    Range{0xD7, 0xD7},        Range{0xF7, 0xF7},     Range{0x2000, 0x2070}, Range{0x2072, 0x207E},
    Range{0x2080, 0x208F},    Range{0x20A0, 0x2101}, Range{0x2190, 0x2BFF}, Range{0x2E00, 0x2E7F},
    Range{0x3000, 0x3004},    Range{0x3008, 0x3030}, Range{0xD800, 0xF8FF}, Range{0xFE00, 0xFE6F},
    Range{0xFEFF, 0xFEFF},    Range{0xFF00, 0xFF20}, Range{0xFFF0, 0xFFFF}, Range{0x1F000, 0x1FAFF},
    Range{0xE0000, 0x10FFFF},
};

constexpr std::array kNotPrintable{
    Range{0x7F, 0xA0},       Range{0xAD, 0xAD},        Range{0x600, 0x605},   Range{0x61C, 0x61C},
    Range{0x6DD, 0x6DD},     Range{0x70F, 0x70F},      Range{0x1680, 0x1680}, Range{0x180E, 0x180E},
    Range{0x2000, 0x200F},   Range{0x2028, 0x202F},    Range{0x205F, 0x206F}, Range{0x3000, 0x3000},
    Range{0xD800, 0xF8FF},   Range{0xFEFF, 0xFEFF},    Range{0xFFF0, 0xFFFB}, Range{0xFFFE, 0xFFFF},
    Range{0xE0000, 0xE00FF}, Range{0xE01F0, 0x10FFFF},
};

int continuation_bytes(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 1;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 2;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 3 : -1;
}

bool shortest_form(char32_t value, int continuations) {
  constexpr std::array<char32_t, 4> kSmallest{0, 0x80, 0x800, 0x10000};
  return value >= kSmallest[static_cast<std::size_t>(continuations)] && value <= 0x10FFFF &&
         (value < 0xD800 || value > 0xDFFF);
}

template <class Change>
std::string map_ascii(std::string_view text, Change change) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), change);
  return out;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

CodePoint decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  const int more = continuation_bytes(lead);
  if (more < 0 || text.size() - at <= static_cast<std::size_t>(more)) {
    return {lead, 1, false};
  }
  auto value = static_cast<char32_t>(lead & (0x3F >> more));
  for (int i = 1; i <= more; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
    if ((byte & 0xC0) != 0x80) {
      return {lead, 1, false};
    }
    value = value << 6 | (byte & 0x3F);
  }
  if (!shortest_form(value, more)) {
    return {lead, 1, false};
  }
  return {value, static_cast<std::size_t>(more) + 1, true};
}

void append_utf8(std::string& out, char32_t value) {
  const auto add = [&out](char32_t byte) { out += static_cast<char>(byte); };
  const auto add_rest = [&](unsigned shift) { add(0x80U | ((value >> shift) & 0x3FU)); };
  if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xC0U | value >> 6U);
  } else if (value < 0x10000) {
    add(0xE0U | value >> 12U);
    add_rest(6);
  } else {
    add(0xF0U | value >> 18U);
    add_rest(12);
    add_rest(6);
  }
  if (value >= 0x80) {
    add_rest(0);
  }
}

bool is_space(char32_t value) {
  if (value < 0x80) {
    return value == ' ' || (value >= '\t' && value <= '\r');
  }
  return value == 0x85 || value == 0xA0 || value == 0x1680 ||
         (value >= 0x2000 && value <= 0x200A) || value == 0x2028 || value == 0x2029 ||
         value == 0x202F || value == 0x205F || value == 0x3000;
}

bool is_letter(char32_t value) {
  if (value < 0x80) {
    return (value >= 'a' && value <= 'z') || (value >= 'A' && value <= 'Z');
  }
  return !in_ranges(kNotLetters, value);
}

bool is_digit(char32_t value) {
  return value >= '0' && value <= '9';
}

bool is_printable(char32_t value) {
  return value < 0x7F ? value >= 0x20 : !in_ranges(kNotPrintable, value);
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode(text, 0);
    if (!point.valid || !is_space(point.value)) {
      break;
    }
    text.remove_prefix(point.length);
  }
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_left(text);
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 &&
           (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) {
      --start;
    }
    const CodePoint point = decode(text, start);
    if (!point.valid || start + point.length != text.size() || !is_space(point.value)) {
      break;
    }
    text.remove_suffix(point.length);
  }
  return text;
}

std::string to_lower(std::string_view text) {
  return map_ascii(text, lower);
}
std::string to_upper(std::string_view text) {
  return map_ascii(text, upper);
}

bool equal_fold(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace mybuild::frontend
