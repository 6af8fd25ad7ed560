// SPDX-License-Identifier: Apache-2.0
#include "frontend/ignore/dockerignore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Dockerignore, CleansPatternsAndDropsCommentsAndBlankLines) {
  EXPECT_THAT(parse_dockerignore("# comment\n\n  docs/  \n/abs/path\n./a//b/../c\n! keep/\r\n"),
              ElementsAre("docs", "abs/path", "a/c", "!keep"));
}

TEST(Dockerignore, OnlyAHashInTheFirstColumnIsAComment) {
  EXPECT_THAT(parse_dockerignore(" #x\n#y"), ElementsAre("#x"));
}

TEST(Dockerignore, TakesAByteOrderMarkAway) {
  EXPECT_THAT(parse_dockerignore("\xEF\xBB\xBF*.o\n"), ElementsAre("*.o"));
}

TEST(Dockerignore, TheRootAloneStays) {
  EXPECT_THAT(parse_dockerignore("/\n!/x"), ElementsAre("/", "!x"));
  EXPECT_THAT(parse_dockerignore(""), IsEmpty());
}

}  // namespace
}  // namespace mybuild::frontend
