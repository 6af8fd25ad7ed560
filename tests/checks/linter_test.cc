// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/linter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend::checks {
namespace {

using testing::HasSubstr;

Linter linter_with(const std::string& options) {
  Linter linter;
  linter.set_source([](int first, int last) {
    return SourceLocation{.file = "f", .first_line = first, .last_line = last, .excerpt = {}};
  });
  linter.set_options(parse_options(options).value());
  return linter;
}

TEST(Options, AreReadWithBlanksAndInAnyOrder) {
  const Options options = parse_options(" error = true ; skip = A , B ;experimental=all").value();
  EXPECT_TRUE(options.error);
  EXPECT_TRUE(options.skipped.contains("A"));
  EXPECT_TRUE(options.skipped.contains("B"));
  EXPECT_TRUE(options.experimental_all);
  EXPECT_FALSE(options.skip_all);
}

TEST(Options, AreRefusedWhenTheyMeanNothing) {
  for (const char* text : {"skip", "foo=bar", "error=maybe", ";"}) {
    const auto options = parse_options(text);
    ASSERT_FALSE(options) << text;
    EXPECT_THAT(options.error().message(), HasSubstr("failed to parse check options")) << text;
  }
}

TEST(Linter, WarnsOfWhatIsNotSkipped) {
  Linter linter = linter_with("skip=StageNameCasing");
  linter.add(Rule::StageNameCasing, {.first_line = 1, .last_line = 1}, "one");
  linter.add(Rule::FromAsCasing, {.first_line = 2, .last_line = 3}, "two");
  ASSERT_EQ(1U, linter.findings().size());
  EXPECT_EQ("two", linter.findings()[0].detail);
  EXPECT_EQ(3, linter.findings()[0].location.last_line);
}

TEST(Linter, ExperimentalRulesWaitToBeAsked) {
  for (const auto& [options, expected] :
       {std::pair("", 0U), std::pair("experimental=all", 1U),
        std::pair("skip=all;experimental=InvalidDefinitionDescription", 1U)}) {
    Linter linter = linter_with(options);
    linter.add(Rule::InvalidDefinitionDescription, {.first_line = 1, .last_line = 1}, "x");
    EXPECT_EQ(expected, linter.findings().size()) << options;
  }
}

TEST(Linter, ACommentAboveSkipsForThatInstructionOnly) {
  Linter linter = linter_with("");
  const std::vector<std::string> comments{"check=skip=StageNameCasing // has a reason", "words"};
  linter.add(Rule::StageNameCasing, {1, 1, comments}, "x");
  EXPECT_TRUE(linter.findings().empty());
  linter.add(Rule::FromAsCasing, {1, 1, comments}, "x");
  linter.add(Rule::StageNameCasing, {2, 2, {}}, "x");
  EXPECT_EQ(2U, linter.findings().size());
}

TEST(Linter, KeepsAThousandFindingsAndGuessesAHundredTimes) {
  Linter linter = linter_with("");
  const std::vector<std::string> names{"PATH"};
  int guessed = 0;
  for (int i = 0; i < 5000; ++i) {
    linter.add(Rule::UndefinedVar, {i, i, {}}, "x");
    guessed += linter.guess("PAHT", names).empty() ? 0 : 1;
  }
  EXPECT_EQ(1000U, linter.findings().size());
  EXPECT_EQ(100, guessed);
}

TEST(Verdict, NamesEachRuleOnceAndNeverOurOwn) {
  Linter linter = linter_with("error=true");
  linter.add(Rule::ArgOverridesEnv, {1, 1, {}}, "x");
  EXPECT_TRUE(linter.verdict());
  linter.add(Rule::StageNameCasing, {1, 1, {}}, "x");
  linter.add(Rule::FromAsCasing, {1, 1, {}}, "x");
  linter.add(Rule::FromAsCasing, {2, 2, {}}, "x");
  ASSERT_FALSE(linter.verdict());
  EXPECT_EQ(
      "lint violation found for rules: FromAsCasing, StageNameCasing",
      linter.verdict().error().message().substr(linter.verdict().error().message().find("lint")));
}

TEST(Verdict, IsGoodAsLongAsNobodyAsksForErrors) {
  Linter linter = linter_with("");
  linter.add(Rule::StageNameCasing, {1, 1, {}}, "x");
  EXPECT_TRUE(linter.verdict());
}

}  // namespace
}  // namespace mybuild::frontend::checks
