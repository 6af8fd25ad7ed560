// SPDX-License-Identifier: Apache-2.0
// A deflate compressor (RFC 1951) for blocks of about a megabyte that are compressed apart and put
// in a row. Its bytes are a function of the input alone, whatever the machine. README.md tells how
// it works.
#pragma once

#include "snapshotter/base/bytes.h"

#include <memory>

namespace mybuild::snapshotter::deflate {

/// Keeps most of a megabyte of tables from one call to the next. Thread-compatible.
class Encoder {
 public:
  Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder();

  /// Bytes that encode() needs for its output, at most.
  static std::size_t bound(std::size_t input_size);

  /// Writes `input` as deflate blocks that refer to nothing before them and end at a byte: with
  /// `last` the stream ends there, else another one can follow. Returns how many bytes of `out`,
  /// which has bound() of them, are used; those behind may be changed.
  std::size_t encode(ByteSpan input, bool last, MutableByteSpan out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::snapshotter::deflate
