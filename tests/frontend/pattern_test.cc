// SPDX-License-Identifier: Apache-2.0
#include "frontend/ignore/pattern.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

struct GlobRow {
  const char* pattern;
  const char* name;
  bool matches;
};
class GlobTable : public testing::TestWithParam<GlobRow> {};

TEST_P(GlobTable, MatchesAsGoDoes) {
  const auto& [pattern, name, matches] = GetParam();
  const auto out = match_glob(pattern, name);
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(matches, *out) << pattern << " " << name;
}
INSTANTIATE_TEST_SUITE_P(
    Table, GlobTable,
    testing::Values(GlobRow{"abc", "abc", true}, GlobRow{"*", "abc", true}, GlobRow{"*", "", true},
                    GlobRow{"*", "a/b", false}, GlobRow{"*c", "abc", true},
                    GlobRow{"a*b?c*x", "abxbbxdbxebxczzx", true}, GlobRow{"a?c", "a/c", false},
                    GlobRow{"a*/b", "a/c/b", false}, GlobRow{"[a-c]x", "bx", true},
                    GlobRow{"[^a-c]x", "bx", false}, GlobRow{"[^a-c]x", "zx", true},
                    GlobRow{"[\\]a]]", "]]", true}, GlobRow{"a\\*b", "a*b", true},
                    GlobRow{"a\\*b", "axb", false}, GlobRow{"a[[]b", "a[b", true},
                    GlobRow{"?", "é", true}, GlobRow{"[à-ÿ]", "é", true}, GlobRow{"**", "ab", true},
                    GlobRow{".*", ".x", true}, GlobRow{"*", ".hidden", true}));

TEST(GlobErrors, NameTheMalformedPattern) {
  for (const char* pattern : {"[", "[a", "[]a]", "[-]", "[a-", "a\\", "[^]"}) {
    EXPECT_FALSE(match_glob(pattern, "a")) << pattern;
  }
}

TEST(GlobSpeed, ManyStarsAreNotExponential) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(*match_glob(pattern + "b", std::string(2000, 'a')));
}

TEST(Wildcards, AreTakenAwayByABackslash) {
  EXPECT_TRUE(has_wildcards("a*"));
  EXPECT_TRUE(has_wildcards("a?b"));
  EXPECT_TRUE(has_wildcards("[a]"));
  EXPECT_FALSE(has_wildcards("a\\*"));
  EXPECT_FALSE(has_wildcards("plain/x"));
}

TEST(CleanPath, IsGosPathClean) {
  EXPECT_EQ(".", clean_path(""));
  EXPECT_EQ("/", clean_path("//"));
  EXPECT_EQ("/b", clean_path("/a/../../b/."));
  EXPECT_EQ("../../b", clean_path("a/../../../b"));
  EXPECT_EQ("a/c", clean_path("./a//b/../c/"));
  EXPECT_EQ(".", clean_path("a/.."));
}

const char* const kLong =
    "axxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy/below";

struct IgnoreRow {
  std::vector<std::string> patterns;
  const char* path;
  bool matches;
};
class Ignore : public testing::TestWithParam<IgnoreRow> {};

TEST_P(Ignore, LastMatchWinsAndParentsCount) {
  const auto& [patterns, path, matches] = GetParam();
  const auto matcher = PatternMatcher::compile(patterns);
  ASSERT_TRUE(matcher) << matcher.error().message();
  EXPECT_EQ(matches, matcher->matches(path)) << patterns[0] << " " << path;
}
INSTANTIATE_TEST_SUITE_P(
    Table, Ignore,
    testing::Values(IgnoreRow{{"docs"}, "docs/a/b", true}, IgnoreRow{{"docs/"}, "docs", true},
                    IgnoreRow{{"docs"}, "src/docs", false}, IgnoreRow{{"**/docs"}, "docs", true},
                    IgnoreRow{{"**/docs"}, "a/b/docs/c", true}, IgnoreRow{{"*.md"}, "a.md", true},
                    IgnoreRow{{"*.md"}, "x/a.md", false}, IgnoreRow{{"**/*.md"}, "x/a.md", true},
                    IgnoreRow{{"**/*.md"}, "a.md", true}, IgnoreRow{{"a/**"}, "a", false},
                    IgnoreRow{{"a/**"}, "a/b/c", true}, IgnoreRow{{"a/**/c"}, "a/c", true},
                    IgnoreRow{{"a/**/c"}, "a/x/y/c", true}, IgnoreRow{{"a/**/c"}, "a/xc", false},
                    IgnoreRow{{"**"}, "any/thing", true},
                    IgnoreRow{{"*", "!keep"}, "keep/x", false},
                    IgnoreRow{{"*", "!keep"}, "lose", true},
                    IgnoreRow{{"*", "!keep", "keep/not"}, "keep/not", true},
                    IgnoreRow{{"!a", "a"}, "a", true}, IgnoreRow{{"a", "!a/b"}, "a/b", false},
                    IgnoreRow{{"a", "!a/b"}, "a/c", true}, IgnoreRow{{"a.b"}, "axb", false},
                    IgnoreRow{{"[ab]c"}, "bc", true}, IgnoreRow{{"a\\*"}, "a*", true},
                    IgnoreRow{{"foo?"}, "foox", true}, IgnoreRow{{"./a/../b"}, "b", true},
                    IgnoreRow{{"**a"}, "x/ya", true}, IgnoreRow{{"a**"}, "ab/c", true},
                    IgnoreRow{{"**a"}, "x/ya/z", true}, IgnoreRow{{"**/g*.o"}, "a/g1.o/x", true},
                    IgnoreRow{{"**/g*.o"}, "a/xg1.o", false}, IgnoreRow{{"**/g*.o"}, "g.o", true},
                    IgnoreRow{{"a/*/b*"}, "a/x/bb/c/d", true}, IgnoreRow{{"a/*/b*"}, "a/x", false},
                    IgnoreRow{{"**/c/*.l"}, "x/c/y.l/z", true},
                    IgnoreRow{{"*" + std::string(70, 'x') + "*y"}, kLong, true}));

TEST(IgnoreCompile, RefusesWhatMeansNothing) {
  EXPECT_FALSE(PatternMatcher::compile({"!"}));
  EXPECT_FALSE(PatternMatcher::compile({"[a"}));
  EXPECT_TRUE(PatternMatcher::compile({"", "  "})->empty());
}

TEST(IgnoreSpeed, AThousandPatternsAreCheapPerPath) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 250; ++i) {
    patterns.insert(patterns.end(), {fmt::format("dir{}/**/*.o", i), fmt::format("!keep{}", i),
                                     fmt::format("**/gen{}*.log", i), fmt::format("a/plain{}", i)});
  }
  const auto matcher = PatternMatcher::compile(patterns);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) {
    EXPECT_FALSE(matcher->matches(fmt::format("source/of/some/module/file{}.c", i)));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(IgnoreDescent, ADirectoryIsSkippedUnlessAnExceptionMayLieBelow) {
  const auto matcher = PatternMatcher::compile({"*", "!keep/this", "!other/**"});
  EXPECT_TRUE(matcher->may_include_below("keep"));
  EXPECT_TRUE(matcher->may_include_below("other"));
  EXPECT_FALSE(matcher->may_include_below("kee"));
  EXPECT_FALSE(matcher->may_include_below("node_modules"));
  EXPECT_TRUE(PatternMatcher::compile({"*", "!**/*.go"})->may_include_below("any"));
  EXPECT_FALSE(PatternMatcher::compile({"*"})->may_include_below("any"));
}

}  // namespace
}  // namespace mybuild::frontend
