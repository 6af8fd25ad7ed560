// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/deflate/encoder.h"

#include "snapshotter/base/digest.h"
#include "snapshotter/base/file.h"
#include "tests/deflate/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace mybuild::snapshotter::deflate {
namespace {

using testing_support::inflate_thrice;

constexpr std::size_t kMiB = std::size_t{1} << 20U;

/// With a byte behind the room that it may use, which must stay.
std::string encode(Encoder& encoder, std::string_view input, bool last = true) {
  std::vector<std::byte> out(Encoder::bound(input.size()) + 1, std::byte{0xa5});
  const std::size_t size =
      encoder.encode(as_bytes(input), last, MutableByteSpan(out).first(out.size() - 1));
  EXPECT_EQ(out.back(), std::byte{0xa5});
  return std::string(as_text(ByteSpan(out).first(size)));
}

std::string encode(std::string_view input) {
  Encoder encoder;
  return encode(encoder, input);
}

/// Stretches of words, of noise, of one byte, of records and of what was there before, in all
/// sizes.
std::string structured(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    std::size_t count = std::size_t{1} << (random() % 15);
    switch (random() % 5) {
      case 0:
        for (; count > 0; --count) {
          text.push_back(static_cast<char>(random()));
        }
        break;
      case 1:
        text.append(count, static_cast<char>(random() % 4));
        break;
      case 2:
        for (; count > 0; --count) {
          text += "entry " + std::to_string(random() % 1000) + ";";
        }
        break;
      case 3:
        for (; count > 0; --count) {
          text.append({static_cast<char>(count), static_cast<char>(count >> 8U), '\0', '\x7f'});
        }
        break;
      default:
        for (std::size_t from = text.size() - random() % (text.size() + 1); count > 0; --count) {
          text.push_back(from < text.size() ? text[from++] : '.');
        }
    }
  }
  text.resize(size);
  return text;
}

TEST(Encoder, NothingAndAByteAreAsShortAsTheyCanBe) {
  EXPECT_EQ(encode(""), std::string("\x03\x00", 2));
  EXPECT_EQ(encode("a"), std::string("\x4b\x04\x00", 3)) << "as zlib has it";
}

TEST(Encoder, AllShortInputsComeBack) {
  Encoder encoder;
  const std::string text = structured(700, 1);
  for (std::size_t size = 0; size < text.size(); ++size) {
    for (const std::string& input : {text.substr(0, size), std::string(size, 'x')}) {
      ASSERT_TRUE(inflate_thrice(as_bytes(encode(encoder, input)), size) == input) << size;
    }
  }
}

TEST(Encoder, WhateverComesInComesBack) {
  Encoder encoder;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const std::string input = structured(1 + seed * seed * 280, seed);
    const std::string out = encode(encoder, input);
    ASSERT_TRUE(inflate_thrice(as_bytes(out), input.size()) == input) << seed;
  }
}

TEST(Encoder, RealFilesComeBack) {
  Encoder encoder;
  for (const char* path : {"/proc/self/exe", MYBUILD_SOURCE_DIR "/README.md",
                           MYBUILD_SOURCE_DIR "/snapshotter/layer_store.cc"}) {
    std::string input = read_file(path).value();
    input.resize(std::min(input.size(), 2 * kMiB));
    const std::string out = encode(encoder, input);
    ASSERT_TRUE(inflate_thrice(as_bytes(out), input.size()) == input) << path;
    EXPECT_LT(out.size() * 5, input.size() * 3) << path;
  }
}

TEST(Encoder, StreamsThatAreNotTheLastAreFollowedByOthers) {
  Encoder encoder;
  std::string text;
  std::string out;
  for (unsigned seed = 0; seed < 12; ++seed) {
    const std::string piece = seed == 5 ? "" : structured(seed * 9001, seed);
    out += encode(encoder, piece, false);
    text += piece;
  }
  out += encode(encoder, "the end");
  EXPECT_TRUE(inflate_thrice(as_bytes(out), text.size() + 7) == text + "the end");
}

TEST(Encoder, NoiseGrowsByLittleAndZerosShrinkByMuch) {
  std::mt19937 random(4);
  std::string noise(kMiB, '\0');
  for (char& byte : noise) {
    byte = static_cast<char>(random());
  }
  const std::string out = encode(noise);
  EXPECT_LT(out.size(), noise.size() + 200);
  EXPECT_TRUE(inflate_thrice(as_bytes(out), noise.size()) == noise);
  const std::string zeros(kMiB, '\0');
  EXPECT_LT(encode(zeros).size(), 1300U);
  EXPECT_TRUE(inflate_thrice(as_bytes(encode(zeros)), zeros.size()) == zeros);
}

TEST(Encoder, NoiseBetweenTextsCostsTheTextsNothing) {
  std::mt19937 random(8);
  std::string text;
  while (text.size() < kMiB) {
    text += "line " + std::to_string(random() % 100'000) + " of text\n";
  }
  std::string mixed;
  for (std::size_t at = 0; at < kMiB; at += 65536) {
    mixed += text.substr(at, 65536);
    for (int i = 0; i < 65536; ++i) {
      mixed.push_back(static_cast<char>(random()));
    }
  }
  const std::size_t apart = encode(text).size() + kMiB;
  EXPECT_LT(encode(mixed).size(), apart * 103 / 100);
}

TEST(Encoder, IsAlmostAsSmallAsZlibs) {
  const std::string input = read_file(MYBUILD_SOURCE_DIR "/snapshotter/layer_store.cc").value() +
                            read_file(MYBUILD_SOURCE_DIR "/ARCHITECTURE.md").value();
  std::string zlibs(compressBound(input.size()), '\0');
  uLongf size = zlibs.size();
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(zlibs.data()), &size,
                      reinterpret_cast<const Bytef*>(input.data()), input.size(), 6),
            Z_OK);
  EXPECT_LT(encode(input).size(), size * 110 / 100);
}

// Layers that were made before must come out the same: who changes this raises the version of gzip
// in blob_format.cc (format.md).
TEST(Encoder, BytesStayWhatTheyAre) {
  Encoder encoder;
  std::string out;
  for (unsigned seed = 0; seed < 8; ++seed) {
    out += encode(encoder, structured(300'000, seed), seed == 7);
  }
  EXPECT_EQ(Digest::of(out).hex(), "c6d2fcf0a3aeaf7081f3f3a97e35bde45179f24fdf1905fd30fb640ab605337b");
  Encoder another;
  EXPECT_TRUE(encode(another, structured(300'000, 7)) == encode(encoder, structured(300'000, 7)))
      << "nothing of what an encoder did before stays";
}

}  // namespace
}  // namespace mybuild::snapshotter::deflate
