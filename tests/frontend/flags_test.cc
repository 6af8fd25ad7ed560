// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/flags.h"

#include "frontend/dockerfile/suggest.h"
#include "frontend/dockerfile/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array kRules{FlagRule{"from"}, FlagRule{"link", FlagType::Bool},
                            FlagRule{"exclude", FlagType::Texts}};

TEST(Flags, ValuesBooleansAndLists) {
  const auto flags = Flags::parse({"--from=a=b", "--link", "--exclude=x", "--exclude=y"}, kRules);
  ASSERT_TRUE(flags) << flags.error().message();
  EXPECT_EQ("a=b", flags->text("from"));
  EXPECT_EQ(true, flags->boolean("link"));
  EXPECT_THAT(flags->texts("exclude"), ElementsAre("x", "y"));
  EXPECT_EQ(false, Flags::parse({"--link=FALSE"}, kRules)->boolean("link"));
  EXPECT_EQ(std::nullopt, Flags::parse({}, kRules)->boolean("link"));
}

TEST(Flags, RefuseWhatTheTableDoesNotSay) {
  for (const char* flag : {"--form=a", "--from", "--link=maybe", "--link="}) {
    EXPECT_FALSE(Flags::parse({flag}, kRules)) << flag;
  }
  EXPECT_FALSE(Flags::parse({"--from=a", "--from=b"}, kRules));
  EXPECT_THAT(Flags::parse({"--form=a"}, kRules).error().hint(), HasSubstr("from"));
}

TEST(SplitFlags, EndAtTheFirstWordOrABareDoubleDash) {
  const FlagsAndRest words = split_flags("--a=b --c='x y' --d=\\ z rest --not");
  EXPECT_THAT(words.flags, ElementsAre("--a=b", "--c=x y", "--d= z"));
  EXPECT_EQ("rest --not", words.rest);
  EXPECT_EQ("--kept", split_flags("--a -- --kept").rest);
}

TEST(Suggestions, AreCloseAndNotTheSame) {
  const std::vector<std::string> names{"builder", "runtime", "RUN"};
  EXPECT_EQ("did you mean builder?", did_you_mean("biulder", names));
  EXPECT_EQ("did you mean RUN?", did_you_mean("rum", names));
  EXPECT_EQ("", did_you_mean("elsewhere", names));
  EXPECT_EQ("", did_you_mean("builder", names));
}

}  // namespace
}  // namespace mybuild::frontend
