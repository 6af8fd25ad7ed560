// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/bytes.h"

#include <algorithm>
#include <cstring>

namespace mybuild {

std::string to_hex(ByteSpan bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    hex.push_back(kDigits[value >> 4U]);
    hex.push_back(kDigits[value & 15U]);
  }
  return hex;
}

Result<std::size_t> StringSource::read(MutableByteSpan buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

namespace {
constexpr std::size_t kChunk = 256 * 1024;
constexpr std::size_t kFirstChunk = 4 * 1024;  // most documents are not longer
}  // namespace

Result<std::uint64_t> copy(Source& source, Sink& sink) {
  std::vector<std::byte> buffer(kChunk);
  std::uint64_t total = 0;
  for (;;) {
    const std::size_t count = TRY(source.read(buffer));
    if (count == 0) {
      return total;
    }
    TRY(sink.write(ByteSpan(buffer).first(count)));
    total += count;
  }
}

Result<std::string> read_all(Source& source, std::size_t limit) {
  std::string text;
  std::vector<std::byte> buffer(limit < kFirstChunk ? limit + 1 : kFirstChunk);
  for (;;) {
    const std::size_t count = TRY(source.read(buffer));
    if (count == 0) {
      return text;
    }
    if (text.size() + count > limit) {
      return invalid_argument("more than {} bytes", limit);
    }
    text.append(as_text(ByteSpan(buffer).first(count)));
    if (count == buffer.size() && count < kChunk) {
      buffer.resize(4 * count);
    }
  }
}

}  // namespace mybuild
