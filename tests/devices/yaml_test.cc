// SPDX-License-Identifier: Apache-2.0
#include "builder/devices/yaml.h"

#include <gtest/gtest.h>

namespace mybuild::devices {
namespace {

std::string read(std::string_view text) {
  const auto json = parse_yaml(text);
  return json ? canonical_dump(*json) : json.error().message();
}

TEST(Yaml, IsJsonInOtherClothes) {
  EXPECT_EQ(read("---\na: 1\nb:\n- x\n- \"2\"\n- c: {d: [e, null, true, ~]}\n"),
            R"({"a":1,"b":["x","2",{"c":{"d":["e",null,true,null]}}]})");
  EXPECT_EQ(read(R"({"a": [1, "x"], "b": {}})"), R"({"a":[1,"x"],"b":{}})");
}

TEST(Yaml, NumbersMayBeOctalOrHexadecimal) {
  EXPECT_EQ(read("[438, 0666, 0o666, 0x1b6, -3, 0, 1.5, 08, --1]"),
            R"([438,438,438,438,-3,0,"1.5","08","--1"])");
}

TEST(Yaml, WhatIsMoreThanJsonIsRefused) {
  EXPECT_EQ(read("a: &x [1]\nb: *x\n"), "line 2: YAML aliases are not supported");
  EXPECT_EQ(read("a: 1\n---\nb: 1\n"), "line 2: one document is expected");
  EXPECT_EQ(read(""), "line 1: one document is expected");
  EXPECT_EQ(read("? [1]\n: 2\n"), "line 1: every key of a map is one plain word");
  EXPECT_EQ(read("a: 1\na: 2\n"), "line 2: every key of a map is one plain word");
  EXPECT_EQ(read(std::string(200, '[')), "YAML is nested too deeply");
  EXPECT_TRUE(read("a: [1").starts_with("line "));
  EXPECT_TRUE(read(std::string("a: \xff\n")).starts_with("line "));
}

}  // namespace
}  // namespace mybuild::devices
