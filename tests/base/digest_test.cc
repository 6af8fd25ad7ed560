// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/digest.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace mybuild {
namespace {

constexpr std::string_view kAbc =
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, IsSha256AndRoundTripsThroughText) {
  EXPECT_EQ(Digest::of("abc").str(), kAbc);
  EXPECT_EQ(Digest::parse(kAbc).value(), Digest::of("abc"));
  EXPECT_EQ(Digest::of("").hex().substr(0, 8), "e3b0c442");
}

TEST(Digest, StreamingGivesTheSame) {
  Hasher hasher;
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  Hasher moved = std::move(hasher);
  EXPECT_EQ(moved.finish(), Digest::of("abc"));
}

TEST(Digest, RefusesWhatIsNoDigest) {
  for (const std::string_view text :
       {"", "sha256", "sha256:", "sha256:ba78", "ba7816bf", "sha256:../../etc/passwd"}) {
    const Result<Digest> digest = Digest::parse(text);
    ASSERT_FALSE(digest) << text;
    EXPECT_EQ(digest.error().kind(), ErrorKind::InvalidArgument) << text;
  }
  std::string upper(kAbc);
  upper[7] = 'B';
  EXPECT_FALSE(Digest::parse(upper)) << "the spec wants lower case";
  EXPECT_FALSE(Digest::parse(std::string(kAbc) + "0"));
  EXPECT_EQ(Digest::parse("sha512:00").error().kind(), ErrorKind::Unsupported);
}

TEST(Digest, IsOrderedAndHashable) {
  EXPECT_TRUE(Digest().is_zero());
  EXPECT_LT(Digest(), Digest::of("abc"));
  const std::unordered_set<Digest> set = {Digest::of("a"), Digest::of("b"), Digest::of("a")};
  EXPECT_EQ(set.size(), 2U);
}

}  // namespace
}  // namespace mybuild
