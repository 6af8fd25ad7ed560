// SPDX-License-Identifier: Apache-2.0
// The ranges of requests: Range as HTTP has it (RFC 9110, "Range Requests"), and Content-Range as
// the distribution spec has it for chunks of uploads. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mybuild::cache_server {

/// Bytes [begin, end).
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

enum class RangeKind {
  Whole,  // none is asked for, or none that we know: several, other units
  Part,
  Unsatisfiable,  // none of the bytes is there
};
struct WantedRange {
  RangeKind kind = RangeKind::Whole;
  ByteRange bytes;
};
/// The value of a Range header, of something that has `size` bytes.
WantedRange parse_range(std::string_view header, std::uint64_t size);

/// "<first>-<last>"; some clients write "bytes <first>-<last>/<size>". nullopt when it is neither.
std::optional<ByteRange> parse_content_range(std::string_view header);

}  // namespace mybuild::cache_server
