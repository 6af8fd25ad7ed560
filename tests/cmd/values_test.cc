// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

TEST(Values, SizesArePowersOf1024) {
  const std::pair<std::string_view, std::uint64_t> kCases[] = {
      {"0", 0},           {"1024", 1024},      {"64m", 64 << 20},    {"64M", 64 << 20},
      {"64MB", 64 << 20}, {"64MiB", 64 << 20}, {"1.5g", 1610612736}, {"1 k", 1024},
      {"7b", 7}};
  for (const auto& [text, bytes] : kCases) {
    const auto got = parse_bytes(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(*got, bytes) << text;
  }
  for (const std::string_view bad :
       {"", "m", "-1", "1x", "1mm", "64 m b", "1e9", "nan", "inf", "99999999p"}) {
    EXPECT_FALSE(parse_bytes(bad)) << bad;
  }
}

TEST(Values, UlimitsHaveASoftAndAHardValue) {
  const auto both = parse_ulimit("nofile=1024:2048");
  ASSERT_TRUE(both);
  EXPECT_EQ(*both, (solver::Ulimit{.name = "nofile", .soft = 1024, .hard = 2048}));
  const auto one = parse_ulimit("core=0");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, (solver::Ulimit{.name = "core", .soft = 0, .hard = 0}));
  EXPECT_TRUE(parse_ulimit("memlock=-1:-1"));
  EXPECT_TRUE(parse_ulimit("nofile=10:-1"));
  for (const std::string_view bad : {"", "nofile", "nofile=", "nofile=a", "nofile=1:", "nofile=2:1",
                                     "nofile=-1:5", "=1", "nofile=1:2:3"}) {
    EXPECT_FALSE(parse_ulimit(bad)) << bad;
  }
  EXPECT_EQ(parse_ulimit("nofiles=1").error().hint(), "did you mean nofile?");
}

TEST(Values, HostEntriesTakeBothSeparatorsAndIPv6) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"a:10.0.0.1", "a=10.0.0.1"},
      {"a=10.0.0.1", "a=10.0.0.1"},
      {"a:::1", "a=::1"},
      {"a=[fe80::1]", "a=fe80::1"},
  };
  for (const auto& [text, entry] : kCases) {
    const auto got = parse_add_host(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(*got, entry);
  }
  for (const std::string_view bad :
       {"", "a", "a:", ":1.2.3.4", "a:b", "a:1.2.3", "a:host-gateway"}) {
    EXPECT_FALSE(parse_add_host(bad)) << bad;
  }
}

TEST(Values, CommaListsMayBeQuoted) {
  EXPECT_THAT(*parse_csv("a,b"), testing::ElementsAre("a", "b"));
  EXPECT_THAT(*parse_csv("a,"), testing::ElementsAre("a", ""));
  EXPECT_THAT(*parse_csv("type=oci,\"dest=a,b\""), testing::ElementsAre("type=oci", "dest=a,b"));
  EXPECT_THAT(*parse_csv("\"say \"\"x\"\"\""), testing::ElementsAre("say \"x\""));
  EXPECT_FALSE(parse_csv("\"open"));
}

TEST(Values, NumbersAreWholeAndInRange) {
  EXPECT_EQ(*parse_integer("7", 0, 9), 7);
  for (const std::string_view bad : {"", "x", "7x", " 7", "10", "-1", "99999999999999999999"}) {
    EXPECT_FALSE(parse_integer(bad, 0, 9)) << bad;
  }
}

}  // namespace
}  // namespace mybuild::cli
