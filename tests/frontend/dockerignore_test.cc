// SPDX-License-Identifier: Apache-2.0
#include "frontend/ignore/dockerignore.h"

#include <fmt/core.h>
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

TEST(Dockerignore, TellsWhichLineExcludesAPath) {
  const std::string text = "\xEF\xBB\xBF# why\n\n*.log\r\n!keep.log\n  /secret/  \n*\n!src\n[bad\n";
  const auto line = [&](const char* path) {
    const auto rule = excluding_rule(text, path);
    return rule ? fmt::format("{}: {}", rule->line, rule->text) : "none";
  };
  EXPECT_EQ(line("a.log"), "3: *.log");
  EXPECT_EQ(line("keep.log"), "6: *");
  EXPECT_EQ(line("secret/key"), "5: /secret/");
  EXPECT_EQ(line("src/x"), "none");
  EXPECT_EQ(line("src"), "none");
}

TEST(Dockerignore, TheRootAloneStays) {
  EXPECT_THAT(parse_dockerignore("/\n!/x"), ElementsAre("/", "!x"));
  EXPECT_THAT(parse_dockerignore(""), IsEmpty());
}

}  // namespace
}  // namespace mybuild::frontend
