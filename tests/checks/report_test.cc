// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/report.h"

#include "snapshotter/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend::checks {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

SourceLocation line(int number) {
  return {.file = "Dockerfile",
          .first_line = number,
          .last_line = number,
          .excerpt = "   1 | >>> FROM scratch as a\n"};
}

CheckReport report() {
  CheckReport out{
      .source = {.file = "Dockerfile", .path = "dir/Dockerfile", .text = "FROM scratch as a"},
      .findings = {},
      .unknown = {},
      .error = {}};
  out.findings.push_back({Rule::FromAsCasing, "'as' and 'FROM'", line(1), false});
  out.findings.push_back({Rule::SourcesWithoutSlash, "100%, really", line(2), false});
  return out;
}

TEST(CheckText, CountsAndShowsTheLines) {
  const std::string text = to_text(report());
  EXPECT_THAT(text, StartsWith("Check complete, 1 warning has been found!\n\n"
                               "WARNING: FromAsCasing - "
                               "https://docs.docker.com/go/dockerfile/rule/from-as-casing/\n"
                               "'as' and 'FROM'\nDockerfile:1\n--------------------\n   1 | >>> "));
  EXPECT_THAT(text, HasSubstr("NOTE: SourcesWithoutSlash\n"));
  EXPECT_EQ("Check complete, no warnings found.\n", to_text(CheckReport{}));
}

TEST(CheckJson, HasBuildKitsShape) {
  CheckReport checked = report();
  checked.error = invalid_argument("bad").with_hint("did you mean good?").at(line(3));
  const Json json = Json::parse(to_json(checked));
  ASSERT_EQ(1U, json["warnings"].size());
  EXPECT_EQ("FromAsCasing", json["warnings"][0]["ruleName"]);
  EXPECT_EQ(1, json["warnings"][0]["location"]["ranges"][0]["start"]["line"]);
  EXPECT_EQ("RlJPTSBzY3JhdGNoIGFzIGE=", json["sources"][0]["data"]);
  EXPECT_THAT(json["buildError"]["message"], HasSubstr("bad (did you mean good?)"));
}

TEST(CheckJson, HoldsOurOwnRulesOnlyWhenAskedTo) {
  CheckReport checked = report();
  checked.findings[1].opted_in = true;
  EXPECT_EQ(2U, Json::parse(to_json(checked))["warnings"].size());
}

TEST(CheckJson, SurvivesBytesThatAreNoText) {
  CheckReport checked = report();
  checked.findings[0].detail = "\xFF\xFE";
  EXPECT_TRUE(Json::accept(to_json(checked)));
  EXPECT_TRUE(Json::accept(to_sarif(checked)));
}

TEST(Failing, IsUpToBuildKitsRulesAndErrors) {
  CheckReport checked = report();
  EXPECT_TRUE(checked.failed());
  checked.findings.erase(checked.findings.begin());
  EXPECT_FALSE(checked.failed());
  checked.error = invalid_argument("bad");
  EXPECT_TRUE(checked.failed());
}

TEST(Sarif, NamesTheFileAsItWasGiven) {
  const Json run = Json::parse(to_sarif(report()))["runs"][0];
  const Json& first = run["results"][0];
  EXPECT_EQ("warning", first["level"]);
  EXPECT_EQ("note", run["results"][1]["level"]);
  const Json& place = first["locations"][0]["physicalLocation"];
  EXPECT_EQ("dir/Dockerfile", place["artifactLocation"]["uri"]);
  EXPECT_EQ(1, place["region"]["startLine"]);
  EXPECT_EQ(all_rules().size(), run["tool"]["driver"]["rules"].size());
}

TEST(Github, EscapesWhatItsLogReserves) {
  EXPECT_EQ(
      "::warning file=dir/Dockerfile,line=1,endLine=1,title=FromAsCasing::'as' and 'FROM'\n"
      "::notice file=dir/Dockerfile,line=2,endLine=2,title=SourcesWithoutSlash::100%25, really\n",
      to_github(report()));
}

TEST(Targets, AreListedWithTheDefaultMarked) {
  TargetList list;
  list.targets.push_back({.name = "base", .description = "the base", .base = "busybox"});
  list.targets.push_back({.base = "base", .is_default = true});
  EXPECT_EQ("TARGET    DESCRIPTION\nbase      the base\n(default)\n", to_text(list));
  const Json json = Json::parse(to_json(list));
  EXPECT_EQ("(default)", json["targets"][1]["name"]);
  EXPECT_EQ(true, json["targets"][1]["default"]);
  EXPECT_FALSE(json["targets"][0].contains("default"));
}

TEST(OutlineText, HasOneTablePerKind) {
  Outline outline{.name = "out", .description = "the output"};
  outline.args.push_back({.name = "VERSION", .description = "which", .value = "1"});
  outline.secrets.push_back({.name = "token", .required = true});
  outline.ssh.push_back({.name = "default"});
  outline.caches.push_back({.id = "/root/.cache"});
  EXPECT_EQ(
      "TARGET:      out\nDESCRIPTION: the output\n\n"
      "BUILD ARG   VALUE   DESCRIPTION\nVERSION     1       which\n\n"
      "SECRET   REQUIRED\ntoken    true\n\nSSH       REQUIRED\ndefault\n\n"
      "CACHE\n/root/.cache\n\n",
      to_text(outline));
}

}  // namespace
}  // namespace mybuild::frontend::checks
