// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace mybuild::progress {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct Range {
  char32_t first;
  char32_t last;
};

/// Combining marks, joiners and variation selectors of the scripts that appear in build output.
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},   {0x064B, 0x065F},
    {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0E31, 0x0E31},   {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},   {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
    {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},
    {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},
    {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},   {0x26D4, 0x26D4},
    {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},   {0x26FA, 0x26FA},
    {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
    {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},   {0x2757, 0x2757},
    {0x2795, 0x2797},   {0x27B0, 0x27B0},   {0x27BF, 0x27BF},   {0x2B1B, 0x2B1C},
    {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E},
    {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C},
    {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0},
    {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F43E}, {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC},
    {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E}, {0x1F550, 0x1F567}, {0x1F57A, 0x1F57A},
    {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5},
    {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2}, {0x1F6D5, 0x1F6D7}, {0x1F6EB, 0x1F6EC},
    {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7EB}, {0x1F90C, 0x1F93A}, {0x1F93C, 0x1F945},
    {0x1F947, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x2FFFD}, {0x30000, 0x3FFFD},
};
/// Marks that turn the direction of what follows: text could be shown as something that it is not.
constexpr Range kBidi[] = {{0x202A, 0x202E}, {0x2066, 0x2069}};

template <std::size_t N>
bool is_in(const Range (&ranges)[N], char32_t point) {
  const auto* after =
      std::upper_bound(std::begin(ranges), std::end(ranges), point,
                       [](char32_t p, const Range& range) { return p < range.first; });
  return after != std::begin(ranges) && point <= std::prev(after)->last;
}

std::size_t width_of(char32_t point) {
  if (point < 0x300) {
    return 1;
  }
  if (is_in(kZeroWidth, point)) {
    return 0;
  }
  return is_in(kWide, point) ? 2 : 1;
}

struct Decoded {
  char32_t point = 0;
  std::size_t size = 1;
  bool valid = false;
};

/// The first code point of `text`, which is not empty. Overlong forms, surrogates and cut sequences
/// are not valid.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return {.point = lead, .size = 1, .valid = true};
  }
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) {
    return {};
  }
  char32_t point = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) {
      return {};
    }
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < kLeast[size] || surrogate || point > 0x10FFFF) {
    return {};
  }
  return {.point = point, .size = size, .valid = true};
}

/// How many bytes the escape sequence at the front of `text` (which starts with ESC) has.
std::size_t escape_size(std::string_view text) {
  if (text.size() < 2) {
    return text.size();
  }
  const char kind = text[1];
  if (kind == '[') {
    std::size_t end = 2;
    while (end < text.size() && text[end] >= 0x20 && text[end] <= 0x3F) {
      ++end;
    }
    const bool final_byte = end < text.size() && text[end] >= 0x40 && text[end] <= 0x7E;
    return final_byte ? end + 1 : end;
  }
  if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
    const std::size_t bell = text.find('\a', 2);
    const std::size_t stop = text.find("\x1b\\", 2);
    const std::size_t end = std::min(bell == std::string_view::npos ? bell : bell + 1,
                                     stop == std::string_view::npos ? stop : stop + 2);
    return std::min(end, text.size());
  }
  std::size_t end = 1;
  while (end < text.size() && text[end] >= 0x20 && text[end] <= 0x2F) {
    ++end;
  }
  return std::min(end + 1, text.size());
}

/// What a terminal would show of a line with carriage returns: the last part that is not empty.
std::string_view after_carriage_return(std::string_view line) {
  while (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line.substr(line.rfind('\r') + 1);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Decoded next = decode(text);
    width += next.valid ? width_of(next.point) : 1;
    text.remove_prefix(next.size);
  }
  return width;
}

std::string truncate(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) {
    return std::string(text);
  }
  std::size_t width = 0;
  std::size_t size = 0;
  while (size < text.size()) {
    const Decoded next = decode(text.substr(size));
    const std::size_t more = next.valid ? width_of(next.point) : 1;
    if (width + more + 1 > columns) {
      break;
    }
    width += more;
    size += next.size;
  }
  return columns == 0 ? std::string() : fmt::format("{}{}", text.substr(0, size), kEllipsis);
}

std::string printable(std::string_view bytes) {
  std::string_view rest = after_carriage_return(bytes);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    const Decoded next = decode(rest);
    std::size_t size = next.size;
    if (!next.valid) {
      out += kReplacement;
    } else if (next.point == 0x1B) {
      size = escape_size(rest);
    } else if (next.point == '\t') {
      out.append(4, ' ');
    } else if (next.point == '\n') {
      out += ' ';
    } else if (next.point >= 0x20 && (next.point < 0x7F || next.point > 0x9F) &&
               !is_in(kBidi, next.point)) {
      out += rest.substr(0, size);
    }
    rest.remove_prefix(size);
  }
  return out;
}

std::string printable_lines(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    out += printable(bytes.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    out += '\n';
    bytes.remove_prefix(end + 1);
  }
  return out;
}

std::string short_digests(std::string_view text) {
  constexpr std::string_view kAlgorithm = "sha256:";
  constexpr std::size_t kDigits = 64;
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t at = text.find(kAlgorithm); at != std::string_view::npos;
       at = text.find(kAlgorithm)) {
    const std::size_t digits = at + kAlgorithm.size();
    const std::string_view hex = text.substr(digits, kDigits);
    const bool whole = hex.size() == kDigits &&
                       hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    out += text.substr(0, digits + (whole ? kShown : 0));
    text.remove_prefix(digits + (whole ? kDigits : 0));
  }
  return out.append(text);
}

std::string transfer_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) {
    return fmt::format("{}B", bytes);
  }
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.995 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

std::string seconds(std::chrono::nanoseconds duration) {
  return fmt::format("{:.1f}s", std::max(0.0, std::chrono::duration<double>(duration).count()));
}

std::string elapsed(std::chrono::nanoseconds duration) {
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (total < 60) {
    return seconds(duration);
  }
  return total < 3600 ? fmt::format("{}m{:02}s", total / 60, total % 60)
                      : fmt::format("{}h{:02}m", total / 3600, total / 60 % 60);
}

}  // namespace mybuild::progress
