// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_format.h"

#include <cstddef>

namespace mybuild::snapshotter::tar {

namespace {

constexpr std::size_t kChecksumBegin = offsetof(HeaderBlock, checksum);
constexpr std::size_t kChecksumEnd = kChecksumBegin + sizeof(HeaderBlock::checksum);

Error bad_number() {
  return invalid_argument("malformed number in a tar header");
}

/// Two's complement, big-endian; the top bit of the first byte is the marker, the next one the
/// sign.
Result<std::int64_t> parse_base256(std::string_view field) {
  const auto first = static_cast<unsigned char>(field.front());
  const bool negative = (first & 0x40U) != 0;
  const unsigned char sign_byte = negative ? 0xff : 0x00;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    auto byte = static_cast<unsigned char>(field[i]);
    if (i == 0) {
      byte = negative ? byte | 0x80U : byte & 0x7fU;
    }
    if ((value >> 56U) != sign_byte) {
      return bad_number();
    }
    value = value << 8U | byte;
  }
  const auto result = static_cast<std::int64_t>(value);
  if ((result < 0) != negative) {
    return bad_number();
  }
  return result;
}

}  // namespace

std::int64_t checksum(const HeaderBlock& block, bool as_signed) {
  const auto* bytes = reinterpret_cast<const char*>(&block);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char byte = i >= kChecksumBegin && i < kChecksumEnd ? ' ' : bytes[i];
    sum += as_signed ? static_cast<signed char>(byte) : static_cast<unsigned char>(byte);
  }
  return sum;
}

std::string_view c_string(std::string_view field) {
  return field.substr(0, field.find('\0'));
}

Result<std::int64_t> parse_number(std::string_view field) {
  if (!field.empty() && (static_cast<unsigned char>(field.front()) & 0x80U) != 0) {
    return parse_base256(field);
  }
  constexpr std::string_view kBlanks(" \0", 2);
  const std::size_t begin = field.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return 0;
  }
  const std::string_view digits = field.substr(begin, field.find_first_of(kBlanks, begin) - begin);
  std::int64_t value = 0;  // at most 12 digits: cannot overflow
  for (const char c : digits) {
    if (c < '0' || c > '7') {
      return bad_number();
    }
    value = value * 8 + (c - '0');
  }
  return value;
}

}  // namespace mybuild::snapshotter::tar
