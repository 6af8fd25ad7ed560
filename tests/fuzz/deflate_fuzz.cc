// SPDX-License-Identifier: Apache-2.0
// Whatever a layer holds comes back from its deflate stream. Inputs are short, and an encoder gets
// interesting after thousands of bytes, so an input is a program that makes them.
#include "snapshotter/archive/deflate/encoder.h"
#include "tests/deflate/inflate.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <string>

namespace mybuild::fuzz {

namespace {

constexpr std::size_t kMaxText = 400'000;

/// Steps of a byte that says what, and what it needs: so many bytes as they are, a copy from so far
/// back, noise.
std::string text_of(std::string_view program) {
  std::string text;
  std::uint32_t noise = 1;
  const auto next = [&]() -> std::size_t {
    if (program.empty()) {
      return 0;
    }
    const auto byte = static_cast<unsigned char>(program.front());
    program.remove_prefix(1);
    return byte;
  };
  while (!program.empty() && text.size() < kMaxText) {
    const std::size_t step = next();
    if (step < 0x80) {
      const std::size_t count = std::min(step + 1, program.size());
      text.append(program.substr(0, count));
      program.remove_prefix(count);
    } else if (step < 0xf0) {
      const std::size_t distance = (step - 0x80) * 300 + next() + 1;
      for (std::size_t count = next() * 2; count > 0 && distance <= text.size(); --count) {
        text.push_back(text[text.size() - distance]);
      }
    } else {
      for (std::size_t count = next() * (step - 0xef) * 8; count > 0; --count) {
        noise = noise * 1664525 + 1013904223;
        text.push_back(static_cast<char>(noise >> 24U));
      }
    }
  }
  return text;
}

}  // namespace

void run(std::string_view program) {
  const std::string text = text_of(program);
  snapshotter::deflate::Encoder encoder;
  std::string deflate;
  // In two parts, so that one follows the other.
  const std::size_t half = text.size() / 2;
  for (const bool last : {false, true}) {
    const std::string_view part =
        last ? std::string_view(text).substr(half) : std::string_view(text).substr(0, half);
    std::vector<std::byte> out(snapshotter::deflate::Encoder::bound(part.size()));
    const std::size_t size = encoder.encode(as_bytes(part), last, out);
    require(size <= out.size(), "the output is no longer than its bound");
    deflate += as_text(ByteSpan(out).first(size));
  }
  require(testing_support::inflate_thrice(as_bytes(deflate), text.size()) == text,
          "three decoders read what was encoded");
}

}  // namespace mybuild::fuzz
