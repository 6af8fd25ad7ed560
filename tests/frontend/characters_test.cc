// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/characters.h"

#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

TEST(Decode, InvalidBytesStandForThemselves) {
  for (const std::string text : {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
    const CodePoint point = decode(text, 0);
    EXPECT_FALSE(point.valid);
    EXPECT_EQ(1U, point.length);
  }
  EXPECT_EQ(U'é', decode("é", 0).value);
  EXPECT_EQ(4U, decode("😀", 0).length);
}

TEST(Trim, KnowsUnicodeBlanks) {
  EXPECT_EQ("a b", trim(" \t\xC2\xA0"
                        "a b\xE3\x80\x80\r\n"));
  EXPECT_EQ("", trim(" \xC2\xA0 "));
  EXPECT_EQ("\xFF", trim(" \xFF "));
}

TEST(Letters, AreNotSymbols) {
  EXPECT_TRUE(is_letter(U'ß'));
  EXPECT_TRUE(is_letter(U'漢'));
  EXPECT_FALSE(is_letter(U'→'));
  EXPECT_FALSE(is_letter(U'😀'));
}

TEST(Case, OfAsciiOnly) {
  EXPECT_TRUE(equal_fold("As", "aS"));
  EXPECT_FALSE(equal_fold("a", "ab"));
  EXPECT_EQ("RUNé", to_upper("runé"));
}

}  // namespace
}  // namespace mybuild::frontend
