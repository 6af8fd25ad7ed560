// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/go_format.h"

#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using std::chrono::nanoseconds;

TEST(GoQuote, EscapesAsStrconv) {
  EXPECT_EQ("\"a\\\"b\\\\\\n\\t\\x01\"", go_quote(std::string_view("a\"b\\\n\t\x01")));
  EXPECT_EQ("\"héé→\"", go_quote(std::string_view("héé→")));
  EXPECT_EQ("\"\\u00a0\\u200b\\xff\"", go_quote(std::string_view("\xC2\xA0\xE2\x80\x8B\xFF")));
  EXPECT_EQ("[\"a\" \"b c\"]", go_quote(std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ("[]", go_quote(std::vector<std::string>{}));
  EXPECT_EQ("[a b c]", go_list({"a", "b c"}));
}

TEST(GoDuration, PrintsAndParses) {
  const std::pair<const char*, std::int64_t> rows[] = {{"0s", 0},
                                                       {"1ns", 1},
                                                       {"1.5\xC2\xB5s", 1'500},
                                                       {"2ms", 2'000'000},
                                                       {"30s", 30'000'000'000},
                                                       {"1m30.5s", 90'500'000'000},
                                                       {"1h0m0s", 3'600'000'000'000},
                                                       {"-1.5s", -1'500'000'000}};
  for (const auto& [text, count] : rows) {
    EXPECT_EQ(text, go_duration(nanoseconds(count)));
    ASSERT_TRUE(parse_go_duration(text)) << text;
    EXPECT_EQ(count, parse_go_duration(text)->count()) << text;
  }
  EXPECT_EQ(0, parse_go_duration("0")->count());
  for (const char* bad : {"", "5", "1x", "s", ".s", "1.2.3s", "99999999999h", "-", "1s2"}) {
    EXPECT_FALSE(parse_go_duration(bad)) << bad;
  }
}

TEST(GoInt, TakesASign) {
  EXPECT_EQ(3, parse_go_int("+3"));
  EXPECT_EQ(-3, parse_go_int("-3"));
  EXPECT_EQ(7, parse_go_int("007"));
  for (const char* text : {"", "+", "+-3", "3 ", "0x3", "1.5", "99999999999"}) {
    EXPECT_FALSE(parse_go_int(text)) << text;
  }
}

TEST(GoBool, TakesTheFormsOfStrconv) {
  EXPECT_TRUE(*parse_go_bool("T"));
  EXPECT_FALSE(*parse_go_bool("False"));
  EXPECT_FALSE(parse_go_bool("yes"));
}

}  // namespace
}  // namespace mybuild::frontend
