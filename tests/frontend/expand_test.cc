// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Row {
  const char* word;
  const char* result;  // null: an error
};

EnvList some_env() {
  EnvList env;
  env.set("name", "value");
  env.set("empty", "");
  env.set("path", "/usr/local/lib/x.tar.gz");
  env.set("list", "a,b,,c");
  env.set("stars", "a*b*c");
  env.set("two", "one two");
  env.set("wide", "höhe→x");
  return env;
}

class Expand : public testing::TestWithParam<Row> {};

TEST_P(Expand, GivesWhatTheTableSays) {
  const auto& [word, result] = GetParam();
  const auto out = expand(word, some_env(), {});
  if (result == nullptr) {
    EXPECT_FALSE(out) << out->text;
    return;
  }
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(result, out->text);
}

INSTANTIATE_TEST_SUITE_P(Quotes, Expand,
                         testing::Values(Row{"plain", "plain"}, Row{"'$name'", "$name"},
                                         Row{"\"$name\"", "value"}, Row{"\\$name", "$name"},
                                         Row{"a\\ b", "a b"}, Row{"'a\\b'", "a\\b"},
                                         Row{"\"a\\b\\\"c\"", "a\\b\"c"}, Row{"a\\", "a"},
                                         Row{"'open", nullptr}, Row{"\"open", nullptr},
                                         Row{"it\"'\"s", "it's"}, Row{"", ""}, Row{"''", ""}));
INSTANTIATE_TEST_SUITE_P(
    Variables, Expand,
    testing::Values(Row{"$name", "value"}, Row{"${name}s", "values"}, Row{"$names", ""},
                    Row{"$name.x", "value.x"}, Row{"$", "$"}, Row{"a$", "a$"}, Row{"$ x", "$ x"},
                    Row{"$1x", "x"}, Row{"$12", ""}, Row{"$$", ""}, Row{"$@x", "x"},
                    Row{"$name→", "value→"}, Row{"$nameé", ""}, Row{"${}", nullptr},
                    Row{"${name", nullptr}, Row{"${", nullptr}, Row{"${:x}", nullptr},
                    Row{"${name!x}", nullptr}, Row{"${name:x}", nullptr}, Row{"${name:", nullptr},
                    Row{"${name:#v}", nullptr}, Row{"${name:%e}", nullptr}));
INSTANTIATE_TEST_SUITE_P(Defaults, Expand,
                         testing::Values(Row{"${name:-w}", "value"}, Row{"${empty:-w}", "w"},
                                         Row{"${empty-w}", ""}, Row{"${unset-w}", "w"},
                                         Row{"${unset:-$name}", "value"},
                                         Row{"${unset:-${unset:-deep}}", "deep"},
                                         Row{"${name:+w}", "w"}, Row{"${empty:+w}", ""},
                                         Row{"${empty+w}", "w"}, Row{"${unset+w}", ""},
                                         Row{"${name:?no}", "value"}, Row{"${empty:?no}", nullptr},
                                         Row{"${empty?no}", ""}, Row{"${unset?}", nullptr},
                                         Row{"${unset:-'a b'}", "a b"},
                                         Row{"${unset:-a\\}b}", "a}b"}, Row{"${unset:-", nullptr}));
INSTANTIATE_TEST_SUITE_P(
    Affixes, Expand,
    testing::Values(Row{"${path#*/}", "usr/local/lib/x.tar.gz"}, Row{"${path##*/}", "x.tar.gz"},
                    Row{"${path%.*}", "/usr/local/lib/x.tar"},
                    Row{"${path%%.*}", "/usr/local/lib/x"},
                    Row{"${path#nothing}", "/usr/local/lib/x.tar.gz"}, Row{"${name#?}", "alue"},
                    Row{"${name%%*}", ""}, Row{"${name%*}", "value"}, Row{"${stars#*\\*}", "b*c"},
                    Row{"${stars%%\\**}", "a"}, Row{"${wide#h?}", "he→x"}, Row{"${unset#x}", ""},
                    Row{"${name#\\v}", nullptr}, Row{"${name%$empty}", "value"},
                    Row{"${path##/$unset*lib}", "/x.tar.gz"}));
INSTANTIATE_TEST_SUITE_P(Replacements, Expand,
                         testing::Values(Row{"${list/,/-}", "a-b,,c"},
                                         Row{"${list//,/-}", "a-b--c"}, Row{"${list//,/}", "abc"},
                                         Row{"${path/\\/usr/~}", "~/local/lib/x.tar.gz"},
                                         Row{"${path//\\//:}", ":usr:local:lib:x.tar.gz"},
                                         Row{"${name/a*/x}", "vx"}, Row{"${name/z/x}", "value"},
                                         Row{"${list//?/x}", "xxxxxx"}, Row{"${name//*/x}", "x"},
                                         Row{"${name/a/$two}", "vone twolue"},
                                         Row{"${stars/\\*/-}", "a-b*c"}, Row{"${name/a}", nullptr},
                                         Row{"${name//x/", nullptr}, Row{"${unset/a/b}", ""}));

TEST(ExpandOptions, TheEscapeCharacterCanBeABacktick) {
  const auto out = expand("a`$name\\$name", some_env(), {.escape = '`'});
  ASSERT_TRUE(out);
  EXPECT_EQ("a$name\\value", out->text);
}

TEST(ExpandOptions, QuotesEscapesAndUnsetVariablesCanBeKept) {
  const ExpandOptions keep{.keep_quotes = true, .keep_escapes = true, .keep_unset = true};
  const auto out = expand("'a' \"$name\" $unset ${unset:-x} \\b", some_env(), keep);
  ASSERT_TRUE(out);
  EXPECT_EQ("'a' \"value\" $unset ${unset:-x} \\b", out->text);
}

TEST(ExpandOptions, QuotesMeanNothingInAHeredocBody) {
  const auto out = expand("it's \"$name\" \\$name", some_env(), {.ignore_quotes = true});
  ASSERT_TRUE(out);
  EXPECT_EQ("it's \"value\" $name", out->text);
}

TEST(ExpandWords, SplitsAtUnquotedBlanksAndInsideOfValues) {
  const auto words = expand_words("a  $two \"$two\" 'x  y' b\\ c ''", some_env(), {});
  ASSERT_TRUE(words);
  EXPECT_THAT(*words, ElementsAre("a", "one", "two", "one two", "x  y", "b c"));
}

TEST(ExpandWords, BlanksBehindAHeredocsMarkEndNoWord) {
  const auto words = expand_words("cat <<  EOF <<- X < y", some_env(), {});
  ASSERT_TRUE(words);
  EXPECT_THAT(*words, ElementsAre("cat", "<<  EOF", "<<-", "X", "<", "y"));
}

TEST(ExpandReport, NamesEachUnsetVariableOnce) {
  const auto out = expand("$a ${b:-x} $a $name", some_env(), {});
  ASSERT_TRUE(out);
  EXPECT_THAT(out->unset, ElementsAre("a", "b"));
}

TEST(ExpandReport, TheMessageOfARequiredVariableIsTheError) {
  const auto out = expand("${unset:?say where}", some_env(), {});
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().message(), HasSubstr("unset: say where"));
}

TEST(ExpandLimits, DeepNestingIsAnErrorAndNoStackOverflow) {
  std::string word;
  for (int i = 0; i < 100'000; ++i) {
    word += "${a:-";
  }
  EXPECT_FALSE(expand(word, some_env(), {}));
}

TEST(ExpandLimits, ValuesDoNotGrowWithoutEnd) {
  EnvList env;
  env.set("a", std::string(100'000, 'x'));
  EXPECT_FALSE(expand("$a$a$a$a$a$a$a$a$a$a$a$a", env, {}));
}

TEST(ExpandLimits, NestedReplacementsDoNotMultiply) {
  EnvList env;
  env.set("a", std::string(64, 'x'));
  std::string word;
  for (int i = 0; i < 20; ++i) {
    word += "${a//x/";
  }
  EXPECT_FALSE(expand(word + "y" + std::string(20, '}'), env, {}));
}

TEST(ExpandLimits, ManyLongPatternsInOneWordAreAnError) {
  EnvList env;
  env.set("a", std::string(500'000, 'x'));
  std::string word;
  for (int i = 0; i < 500; ++i) {
    word += "${a##*y" + std::string(50, '?') + "}";
  }
  EXPECT_FALSE(expand(word, env, {}));
}

TEST(EnvListOrder, IsThatOfTheLastSetting) {
  EnvList env = some_env();
  for (int i = 0; i < 100; ++i) {
    env.set("name", std::to_string(i));
  }
  EXPECT_EQ("name=99", env.strings().back());
  EXPECT_EQ(some_env().names().size(), env.names().size());
  EXPECT_EQ("99", *env.find("name"));
}

}  // namespace
}  // namespace mybuild::frontend
