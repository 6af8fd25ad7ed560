// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/gzip_decoder.h"

#include "snapshotter/archive/codec.h"

#include <gtest/gtest.h>

#include <random>

namespace mybuild::snapshotter {
namespace {

std::string gzip(std::string_view text) {
  StringSink packed;
  const auto compressor = make_compressor({}, packed);
  EXPECT_TRUE(compressor->write(as_bytes(text)));
  EXPECT_TRUE(compressor->finish());
  return packed.text;
}

/// Written in pieces of `piece` bytes; nullopt when it is refused or not complete.
std::optional<std::string> decode(std::string_view packed, std::size_t piece) {
  StringSink plain;
  GzipDecoder decoder(plain);
  for (std::size_t i = 0; i < packed.size(); i += piece) {
    if (!decoder.write(as_bytes(packed.substr(i, piece)))) {
      return std::nullopt;
    }
  }
  return decoder.finish() ? std::optional(plain.text) : std::nullopt;
}

TEST(GzipDecoder, decodes_in_any_pieces) {
  std::mt19937 random(1);
  std::string text(3 << 20, 'a');  // more than its buffer, from few bytes
  for (std::size_t i = 0; i < text.size() / 2; ++i) {
    text[i] = static_cast<char>(random());
  }
  const std::string packed = gzip(text);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{4096}, packed.size()}) {
    EXPECT_TRUE(decode(packed, piece) == text) << piece;
  }
  EXPECT_EQ(decode(gzip("a") + gzip("") + gzip("b"), 1), "ab");
  EXPECT_EQ(decode("", 1), "");
}

TEST(GzipDecoder, refuses_damage_and_early_ends) {
  const std::string packed = gzip("hello hello hello");
  for (std::size_t size = 1; size < packed.size(); ++size) {
    EXPECT_FALSE(decode(packed.substr(0, size), 5)) << size;
  }
  std::string bad = packed;
  bad[bad.size() - 6] = static_cast<char>(bad[bad.size() - 6] ^ 1);
  EXPECT_FALSE(decode(bad, 64));
  EXPECT_FALSE(decode(packed + "more", 64));
  EXPECT_FALSE(decode("not gzip at all", 64));
}

}  // namespace
}  // namespace mybuild::snapshotter
