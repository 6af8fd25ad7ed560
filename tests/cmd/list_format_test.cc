// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/list_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

using testing::HasSubstr;

constexpr ListField kFields[] = {{"ID", "THE ID"}, {"Names", "NAMES"}};
constexpr ListStyle kStyle = {.fields = kFields, .columns = "{{.ID}}\t{{.Names}}"};
const std::vector<ListRow> kRows = {{{"ID", "1"}, {"Names", "näme"}},
                                    {{"ID", "long-enough-to-widen"}, {"Names", "b"}}};

std::string text(const std::string& format, const std::vector<ListRow>& rows = kRows) {
  return list_text(kStyle, rows, format).value();
}

TEST(ListFormat, ATableIsAligned) {
  const std::string table =
      "THE ID                 NAMES\n"
      "1                      näme\n"
      "long-enough-to-widen   b\n";
  EXPECT_EQ(text(""), table);
  EXPECT_EQ(text("table"), table);
  EXPECT_EQ(text("table {{.Names}}\\t{{.ID}}"),
            "NAMES     THE ID\n"
            "näme      1\n"
            "b         long-enough-to-widen\n");
  EXPECT_EQ(text("", {}), "THE ID    NAMES\n");
}

TEST(ListFormat, ATemplateIsALinePerRow) {
  EXPECT_EQ(text("{{ .ID }}: {{.Names}}!"), "1: näme!\nlong-enough-to-widen: b!\n");
  EXPECT_EQ(text("{{.ID}}", {}), "");
  EXPECT_EQ(text("{{json .Names}}", {kRows[0]}), "\"näme\"\n");
}

TEST(ListFormat, JsonIsAnObjectPerRow) {
  EXPECT_EQ(text("json", {kRows[1]}), "{\"ID\":\"long-enough-to-widen\",\"Names\":\"b\"}\n");
  EXPECT_EQ(text("{{json .}}", {kRows[1]}), text("json", {kRows[1]}));
}

TEST(ListFormat, WhatTemplatesCannotDoIsSaid) {
  const auto unknown = list_text(kStyle, kRows, "{{.Nonsense}}");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("there is no Nonsense"));
  EXPECT_THAT(unknown.error().hint(), HasSubstr(".ID .Names"));
  for (const char* bad : {"{{.ID", "{{range .}}", "{{}}", "{{ID}}"}) {
    EXPECT_FALSE(list_text(kStyle, kRows, bad)) << bad;
  }
}

TEST(ListFormat, ATableHasNoControlCharacters) {
  EXPECT_EQ(text("table {{.Names}}", {{{"ID", "1"}, {"Names", "a\x1b[31mb\nc"}}}), "NAMES\nab c\n");
}

TEST(ListFormat, InspectIsAnArrayOrALinePerObject) {
  EXPECT_EQ(inspect_text(kRows, "{{.ID}}").value(), "1\nlong-enough-to-widen\n");
  EXPECT_EQ(inspect_text({kRows[0]}, "").value(),
            "[\n    {\n        \"ID\": \"1\",\n        \"Names\": \"näme\"\n    }\n]\n");
  EXPECT_EQ(inspect_text({}, "").value(), "[]\n");
  EXPECT_EQ(inspect_text({kRows[0]}, "json").value(), "[{\"ID\":\"1\",\"Names\":\"näme\"}]\n");
  EXPECT_TRUE(check_inspect_format("json") && check_inspect_format("{{.Anything}}"));
  EXPECT_FALSE(check_inspect_format("{{nope .ID}}"));
}

}  // namespace
}  // namespace mybuild::cli
