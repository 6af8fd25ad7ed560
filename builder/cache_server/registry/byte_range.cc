// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/byte_range.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace mybuild::cache_server {

namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 62;

/// Digits and nothing else; too large a number is the largest.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool are_digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                       [](char c) { return c >= '0' && c <= '9'; });
  if (!are_digits) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? std::min(value, kLargest) : kLargest;
}

WantedRange part_of(std::uint64_t begin, std::uint64_t end, std::uint64_t size) {
  if (begin >= size || begin >= end) {
    return {.kind = RangeKind::Unsatisfiable, .bytes = {}};
  }
  return {.kind = RangeKind::Part, .bytes = {.begin = begin, .end = std::min(end, size)}};
}

}  // namespace

WantedRange parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const std::size_t dash = header.find('-');
  if (!header.starts_with(kUnit) || dash == std::string_view::npos) {
    return {};
  }
  const std::string_view first = header.substr(kUnit.size(), dash - kUnit.size());
  const std::string_view last = header.substr(dash + 1);
  const auto begin = parse_number(first);
  const auto end = parse_number(last);
  if (first.empty() && end) {
    return part_of(size - std::min(*end, size), *end == 0 ? 0 : size, size);
  }
  if (!begin || (!end && !last.empty()) || (end && *end < *begin)) {
    return {};
  }
  return part_of(*begin, end ? *end + 1 : size, size);
}

std::optional<ByteRange> parse_content_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  if (header.starts_with(kUnit)) {
    header.remove_prefix(kUnit.size());
    header = header.substr(0, header.find('/'));
  }
  const std::size_t dash = std::min(header.find('-'), header.size());
  const auto first = parse_number(header.substr(0, dash));
  const auto last = parse_number(header.substr(std::min(dash + 1, header.size())));
  if (!first || !last || *last < *first) {
    return std::nullopt;
  }
  return ByteRange{.begin = *first, .end = *last + 1};
}

}  // namespace mybuild::cache_server
