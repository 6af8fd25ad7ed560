// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace mybuild {
namespace {

TEST(Json, RefusesWhatIsMalformedOrTooDeep) {
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("{} x"), std::string("\"\xff\""),
        std::string(300, '['), std::string(300, '[') + std::string(300, ']')}) {
    const Result<Json> value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().kind(), ErrorKind::InvalidArgument);
  }
  EXPECT_TRUE(parse_json(std::string(150, '[') + std::string(150, ']')));
  EXPECT_FALSE(parse_json(std::string(2'000'000, '['))) << "depth must not cost stack";
}

TEST(Json, BracketsInStringsAreNotDepth) {
  EXPECT_TRUE(parse_json("\"" + std::string(300, '[') + "\\\"" + std::string(300, '{') + "\""));
  EXPECT_FALSE(parse_json("[\"\\\\\"," + std::string(300, '[')));
}

TEST(Json, ALongListTakesTimeInProportion) {
  std::string text = "[{}";
  for (int i = 0; i < 200'000; ++i) {
    text += ",{\"a\":1}";
  }
  const auto started = std::chrono::steady_clock::now();
  ASSERT_TRUE(parse_json(text + "]"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(Json, OneValueHasOneText) {
  EXPECT_EQ(canonical_dump(*parse_json(" { \"b\" : 1, \"a\" : [ true ] } ")),
            "{\"a\":[true],\"b\":1}");
  EXPECT_EQ(canonical_dump(Json("a\xff")), "\"a\xef\xbf\xbd\"");
}

TEST(JsonField, ErrorsNameThePath) {
  const Json value =
      *parse_json(R"({"config":{"Env":["A=1",2],"n":1.5,"big":18446744073709551615}})");
  const JsonField root(value, "");
  const JsonField config = root.field("config").value();
  EXPECT_EQ(config.field("Env")->strings().error().message(), "config.Env[1]: expected a string");
  EXPECT_EQ(config.field("Env")->field("x").error().message(), "config.Env: expected an object");
  EXPECT_EQ(config.field("n")->integer().error().message(), "config.n: expected an integer");
  EXPECT_FALSE(config.field("big")->integer()) << "it must not turn into -1";
}

TEST(JsonField, AbsentAndNullReadAlike) {
  const Json value = *parse_json(R"({"a":null})");
  const JsonField root(value, "");
  for (const char* const name : {"a", "b"}) {
    const JsonField field = root.field(name).value();
    EXPECT_TRUE(field.absent());
    EXPECT_EQ(field.string_or("x").value(), "x");
    EXPECT_EQ(field.integer_or(7).value(), 7);
    EXPECT_TRUE(field.boolean_or(true).value());
    EXPECT_TRUE(field.strings()->empty());
    EXPECT_TRUE(field.string_map()->empty());
    EXPECT_TRUE(field.field("deeper")->absent());
    EXPECT_FALSE(field.string());
  }
}

}  // namespace
}  // namespace mybuild
