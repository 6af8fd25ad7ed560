// SPDX-License-Identifier: Apache-2.0
// Byte spans: the one vocabulary for "some bytes". Sink and Source are how streams are passed
// between readers, hashers, compressors and files. All are thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

inline ByteSpan as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteSpan bytes);

/// Somewhere bytes go to, in order.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status write(ByteSpan bytes) = 0;
};

/// Somewhere bytes come from, in order.
class Source {
 public:
  virtual ~Source() = default;
  /// Fills the front of `buffer`; returns how many bytes, 0 at the end.
  virtual Result<std::size_t> read(MutableByteSpan buffer) = 0;
};

class StringSink final : public Sink {
 public:
  Status write(ByteSpan bytes) override {
    text.append(as_text(bytes));
    return {};
  }
  std::string text;
};

class StringSource final : public Source {
 public:
  explicit StringSource(std::string_view text) : rest_(as_bytes(text)) {}
  Result<std::size_t> read(MutableByteSpan buffer) override;

 private:
  ByteSpan rest_;
};

/// Reads `source` to its end into `sink`; returns the number of bytes.
Result<std::uint64_t> copy(Source& source, Sink& sink);
/// Reads `source` to its end; fails with InvalidArgument when it holds more than `limit` bytes.
Result<std::string> read_all(Source& source, std::size_t limit);

}  // namespace mybuild
