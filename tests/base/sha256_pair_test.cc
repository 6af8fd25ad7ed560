// SPDX-License-Identifier: Apache-2.0
// OpenSSL says what the digests must be.
#include "snapshotter/base/sha256_pair.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mybuild {
namespace {

class Sha256PairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Sha256Pair::is_supported()) {
      GTEST_SKIP() << "this CPU has no instructions for SHA-256";
    }
  }

  static std::vector<std::byte> noise(std::size_t size) {
    std::mt19937 dice(static_cast<unsigned>(size));
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(dice());
    }
    return bytes;
  }
};

TEST_F(Sha256PairTest, HashesStreamsOfEveryLengthAroundABlock) {
  for (std::size_t size = 0; size < 5 * Sha256Pair::kBlock; ++size) {
    const std::vector<std::byte> bytes = noise(size);
    Sha256Pair pair;
    pair.update(bytes);
    EXPECT_EQ(pair.finish(), Digest::of(ByteSpan(bytes))) << size << " bytes";
  }
}

TEST_F(Sha256PairTest, HashesPartsOfEveryLengthOnTheWay) {
  std::vector<std::byte> whole;
  Sha256Pair pair;
  const auto add = [&](ByteSpan bytes) {
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    pair.update(bytes);
  };
  for (std::size_t size = 0; size < 3 * Sha256Pair::kBlock; ++size) {
    const std::vector<std::byte> part = noise(size);
    pair.begin_part();
    add(part);
    EXPECT_EQ(pair.end_part(), Digest::of(ByteSpan(part))) << size << " bytes";
    add(std::vector<std::byte>(8 * Sha256Pair::kBlock - whole.size() % (8 * Sha256Pair::kBlock)));
  }
  EXPECT_EQ(pair.finish(), Digest::of(ByteSpan(whole)));
}

TEST_F(Sha256PairTest, DoesNotCareHowTheBytesArrive) {
  const std::vector<std::byte> bytes = noise(10'000);
  std::mt19937 dice(7);
  for (int round = 0; round < 50; ++round) {
    Sha256Pair pair;
    pair.begin_part();
    for (ByteSpan left(bytes); !left.empty();) {
      const std::size_t count = std::min<std::size_t>(left.size(), dice() % 200);
      pair.update(left.first(count));
      left = left.subspan(count);
    }
    EXPECT_EQ(pair.end_part(), Digest::of(ByteSpan(bytes)));
    EXPECT_EQ(pair.finish(), Digest::of(ByteSpan(bytes)));
  }
}

TEST_F(Sha256PairTest, CountsMoreBitsThanFitInto32) {
  const std::vector<std::byte> bytes = noise(1 << 20);
  Sha256Pair pair;
  Hasher hasher;
  pair.begin_part();
  for (int i = 0; i < 513; ++i) {
    pair.update(bytes);
    hasher.update(ByteSpan(bytes));
  }
  const Digest wanted = hasher.finish();
  EXPECT_EQ(pair.end_part(), wanted);
  EXPECT_EQ(pair.finish(), wanted);
}

}  // namespace
}  // namespace mybuild
