// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/go_template.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

constexpr char kData[] =
    R"({"Id":"sha256:12","Size":7,"Tags":["a:1","b:2"],"None":[],"Null":null,"Flag":true,)"
    R"("Config":{"Cmd":["sh","-c"],"Labels":{"x.y":"z","a":"b"}}})";

Result<std::string> rendered(std::string_view text) {
  const Template parsed = TRY(Template::parse(text));
  return parsed.render(nlohmann::ordered_json::parse(kData));
}

std::string render(std::string_view text) {
  const auto result = rendered(text);
  return result ? *result : "ERROR: " + result.error().message();
}

TEST(Template, PathsPrintAsInGo) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"plain", "plain"},
      {"{{.Id}}", "sha256:12"},
      {"<{{ .Size }}>", "<7>"},
      {"{{.Config.Cmd}}", "[sh -c]"},
      {"{{.Config.Labels}}", "map[a:b x.y:z]"},
      {"{{.Flag}} {{.Null}}", "true <no value>"},
      {"{{.Null.Deeper}}", "<no value>"},
  };
  for (const auto& [text, want] : kCases) {
    EXPECT_EQ(render(text), want) << text;
  }
}

TEST(Template, FunctionsAndPipelines) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"{{json .Tags}}", R"(["a:1","b:2"])"},
      {"{{.Tags | json}}", R"(["a:1","b:2"])"},
      {"{{index .Tags 1}}", "b:2"},
      {R"({{index .Config.Labels "x.y"}})", "z"},
      {R"({{index .Config.Labels "missing"}})", ""},
      {R"({{join .Tags ", "}})", "a:1, b:2"},
      {"{{len .Tags}}{{len .Id}}", "29"},
      {"{{.Id | upper}}", "SHA256:12"},
      {"{{eq .Size 8 7}} {{ne .Id \"x\"}} {{eq .Id .Size}}", "true true false"},
      {"{{and .Flag .Size}} {{or .None .Size}} {{.Flag | not}}", "7 7 false"},
      {"{{println .Size .Id}}", "7 sha256:12\n"},
  };
  for (const auto& [text, want] : kCases) {
    EXPECT_EQ(render(text), want) << text;
  }
}

TEST(Template, RangeIfAndTrimming) {
  EXPECT_EQ(render("{{range .Tags}}<{{.}}>{{end}}"), "<a:1><b:2>");
  EXPECT_EQ(render("{{range .None}}x{{else}}empty{{end}}"), "empty");
  EXPECT_EQ(render("{{if .Flag}}yes{{else}}no{{end}}{{if .None}}yes{{else}}no{{end}}"), "yesno");
  EXPECT_EQ(render("{{if .None}}a{{else if eq .Size 7}}b{{else}}c{{end}}"), "b");
  EXPECT_EQ(render("{{if .None}}a{{else if .Null}}b{{else}}c{{end}}"), "c");
  EXPECT_EQ(render("a \n{{- .Size -}} \n b"), "a7b");
}

TEST(Template, WhatIsNotKnownIsSaid) {
  for (const std::string_view text :
       {"{{.Nope}}", "{{.Id", "{{}}", "{{end}}", "{{range .Tags}}", "{{index .Tags 9}}", "{{json}}",
        "{{.Id .Size}}", "{{\"open}}", "{{if .Id}}{{else x}}{{end}}", "{{if .Id}}{{else if .Id}}",
        "{{.Id |}}", "{{truncate .Id}}"}) {
    const auto result = rendered(text);
    ASSERT_FALSE(result) << text;
    EXPECT_TRUE(result.error().message().starts_with("format template: ")) << text;
  }
  EXPECT_FALSE(Template::parse("{{nope .Id}}"));
  EXPECT_FALSE(Template::parse("{{range .Tags}}{{nope .}}{{end}}"));
  EXPECT_TRUE(Template::parse("{{.Anything}} {{json .}}"));
}

}  // namespace
}  // namespace mybuild::cli
