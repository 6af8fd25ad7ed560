// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<LogicalLine> lines_of(std::string_view text) {
  const SourceMap source("Dockerfile", text);
  Lexer lexer(source);
  std::vector<LogicalLine> out;
  for (;;) {
    auto line = lexer.next();
    EXPECT_TRUE(line) << line.error().message();
    if (!line || !*line) {
      return out;
    }
    out.push_back(std::move(**line));
  }
}

TEST(Lexer, JoinsContinuationsOverCommentsAndBlankLines) {
  const auto lines = lines_of("RUN a \\\n  # note\n\n  b\\  \n c\nRUN d\n");
  ASSERT_EQ(2U, lines.size());
  EXPECT_EQ("RUN a   b c", lines[0].text);
  EXPECT_EQ((LineRange{1, 5}), lines[0].lines);
  EXPECT_TRUE(lines[0].empty_continuation);
  EXPECT_FALSE(lines[1].empty_continuation);
}

TEST(Lexer, ADoubledEscapeCharacterEndsTheLine) {
  const auto lines = lines_of("RUN a\\\\\nRUN b");
  ASSERT_EQ(2U, lines.size());
  EXPECT_EQ("RUN a\\\\", lines[0].text);
}

TEST(Lexer, CarriageReturnsAndByteOrderMarkGo) {
  const auto lines = lines_of(
      "\xEF\xBB\xBF"
      "FROM x\r\nRUN a \\\r\n  b\r\n");
  ASSERT_EQ(2U, lines.size());
  EXPECT_EQ("FROM x", lines[0].text);
  EXPECT_EQ("RUN a   b", lines[1].text);
}

TEST(Lexer, CommentsDirectlyAboveBelongToTheInstruction) {
  const auto lines = lines_of("# escape=`\n# one\n#two\nFROM x\nRUN a `\nb");
  ASSERT_EQ(2U, lines.size());
  EXPECT_THAT(lines[0].comments, ElementsAre("one", "two"));
  EXPECT_EQ("RUN a b", lines[1].text);
}

TEST(Lexer, DirectivesEndAtTheFirstOtherLine) {
  const auto lines = lines_of("# a comment\n# escape=`\nRUN a \\\nb");
  ASSERT_EQ(1U, lines.size());
  EXPECT_EQ("RUN a b", lines[0].text);
}

TEST(Lexer, RefusesAWrongEscapeAndARepeatedDirective) {
  for (const std::string_view text : {"#escape=x\n", "#syntax=a\n#SYNTAX=b\n"}) {
    const SourceMap source("Dockerfile", text);
    Lexer lexer(source);
    const auto line = lexer.next();
    ASSERT_FALSE(line);
    EXPECT_NE(nullptr, line.error().location());
  }
}

TEST(Lexer, RefusesLinesOf64KiBByTheirNumber) {
  const std::string text = "FROM x\nRUN " + std::string(65'600, 'a') + "\n";
  const SourceMap source("Dockerfile", text);
  Lexer lexer(source);
  EXPECT_TRUE(lexer.next());
  const auto line = lexer.next();
  ASSERT_FALSE(line);
  EXPECT_THAT(line.error().message(), HasSubstr("65535"));
  EXPECT_EQ(2, line.error().location()->first_line);
}

TEST(Excerpt, MarksTheRangeAmongItsNeighbours) {
  const SourceMap source("Dockerfile", "FROM x\n\nRUN false\n\n");
  EXPECT_EQ(
      "   1 |     FROM x\n"
      "   2 |\n"
      "   3 | >>> RUN false\n"
      "   4 |\n"
      "   5 |\n",
      source.locate({3, 3}).excerpt);
}

TEST(Excerpt, OfALongRangeShowsItsFrontOnly) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += std::string(5000, 'x') + "\n";
  }
  const SourceMap source("Dockerfile", text);
  EXPECT_LT(source.locate({1, 1000}).excerpt.size(), 40'000U);
}

}  // namespace
}  // namespace mybuild::frontend
