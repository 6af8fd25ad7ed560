// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_list.h"

#include "cmd/mybuild/cli/human_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::seconds(1'000'000)};

std::vector<ListedImage> rows() {
  return {
      {.row = {.name = "docker.io/library/hello:latest",
               .config = Digest::of("a"),
               .created = 1'000'000 - 7200,
               .size = 77'812'345}},
      {.row = {.name = "localhost:5000/team/tool:1.2",
               .config = Digest::of("b"),
               .created = 999'970,
               .size = 512},
       .digests = {"docker.io/library/other@" + Digest::of("o").str(),
                   "localhost:5000/team/tool@" + Digest::of("m").str()}},
      {.row = {.name = "", .config = Digest::of("c"), .created = 0, .size = 1'999'999'999}},
  };
}

std::string list(const ImagesOptions& options) {
  const auto text = image_list_text(rows(), options, kNow);
  EXPECT_TRUE(text);
  return text.value_or("");
}

TEST(Images, TheTableIsDockers) {
  EXPECT_EQ(list({}),
            "REPOSITORY                 TAG       IMAGE ID       CREATED          SIZE\n"
            "hello                      latest    ca978112ca1b   2 hours ago      77.8MB\n"
            "localhost:5000/team/tool   1.2       3e23e8160039   30 seconds ago   512B\n"
            "<none>                     <none>    2e7d2c03a950   N/A              2GB\n");
}

TEST(Images, QuietPrintsIdsOnly) {
  EXPECT_EQ(list({.quiet = true, .repository = "hello"}), "ca978112ca1b\n");
  EXPECT_EQ(list({.quiet = true, .no_trunc = true, .repository = "hello"}),
            Digest::of("a").str() + "\n");
}

TEST(Images, ARepositoryOrOneOfItsTagsCanBeAskedFor) {
  EXPECT_EQ(list({.quiet = true, .repository = "localhost:5000/team/tool"}), "3e23e8160039\n");
  EXPECT_EQ(list({.quiet = true, .repository = "localhost:5000/team/tool:1.2"}), "3e23e8160039\n");
  EXPECT_EQ(list({.quiet = true, .repository = "localhost:5000/team/tool:2"}), "");
}

TEST(Images, JsonIsOneObjectPerLine) {
  const std::string text = list({.format = "json", .repository = "hello"});
  const auto row = nlohmann::json::parse(text);
  EXPECT_EQ(row["Repository"], "hello");
  EXPECT_EQ(row["Tag"], "latest");
  EXPECT_EQ(row["ID"], "ca978112ca1b");
  EXPECT_EQ(row["Size"], "77.8MB");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Images, TimeSpansAreInDockersWords) {
  const std::pair<std::chrono::seconds, std::string_view> kCases[] = {
      {0s, "Less than a second"},
      {1s, "1 second"},
      {59s, "59 seconds"},
      {60s, "About a minute"},
      {125s, "2 minutes"},
      {3600s, "About an hour"},
      {2h, "2 hours"},
      {47h, "47 hours"},
      {48h, "2 days"},
      {24h * 13, "13 days"},
      {24h * 14, "2 weeks"},
      {24h * 61, "2 months"},
      {24h * 800, "2 years"},
  };
  for (const auto& [span, words] : kCases) {
    EXPECT_EQ(human_duration(span), words) << span.count();
  }
}

TEST(Inspect, IsMadeFromTheConfigAsItIs) {
  const std::string config =
      R"({"architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05Z","config":{"Env":["A=1"],"Cmd":["sh"]},)"
      R"("rootfs":{"type":"layers","diff_ids":["sha256:00"]},"history":[{"comment":"c"}]})";
  const auto object = image_json(rows()[0], {"docker.io/library/hello:latest"}, config);
  ASSERT_TRUE(object);
  EXPECT_EQ(
      object->dump(),
      R"({"Id":")" + Digest::of("a").str() +
          R"(","RepoTags":["hello:latest"],"RepoDigests":[],"Parent":"","Comment":"c",)"
          R"("Created":"2026-01-02T03:04:05Z","Author":"","Config":{"Env":["A=1"],"Cmd":["sh"]},)"
          R"("Architecture":"amd64","Os":"linux","Size":77812345,)"
          R"("RootFS":{"Type":"layers","Layers":["sha256:00"]}})");
}

TEST(Inspect, SaysInWhichRegistriesTheImageIs) {
  const auto json = image_json(rows()[1], {}, "{}").value();
  EXPECT_EQ(json["RepoDigests"][0], "other@" + Digest::of("o").str());
  EXPECT_EQ(json["RepoDigests"][1], "localhost:5000/team/tool@" + Digest::of("m").str());
}

TEST(Inspect, ADamagedConfigIsAnError) {
  for (const std::string config : {"", "x", "[]", "null"}) {
    EXPECT_FALSE(image_json(rows()[0], {}, config)) << config;
  }
  EXPECT_TRUE(image_json(rows()[0], {}, R"({"rootfs":7,"history":7,"config":null})"));
}

TEST(Images, DigestsAreThoseOfTheShownRepository) {
  const std::string text = list({.digests = true, .repository = "localhost:5000/team/tool"});
  EXPECT_NE(text.find(" " + Digest::of("m").str() + " "), std::string::npos) << text;
  EXPECT_EQ(text.find(Digest::of("o").str()), std::string::npos) << text;
}

TEST(Images, ARepositoryThatKnowsTheImageByDigestOnlyHasALineToo) {
  const std::string text = list({.no_trunc = true, .digests = true});
  EXPECT_NE(text.find("other                      <none>    " + Digest::of("o").str()),
            std::string::npos)
      << text;
}

TEST(Images, ATableOfChosenColumnsHasDockersHeadings) {
  const ImagesOptions options{.format = "table {{.ID}}\\t{{.Tag}}\\t{{.CreatedAt}}",
                              .repository = "hello"};
  EXPECT_EQ(list(options).substr(0, list(options).find('\n')),
            "IMAGE ID       TAG       CREATED AT");
}

TEST(Images, ATemplateGivesItsLines) {
  const ImagesOptions options{.format = "{{.Repository}}:{{.Tag}}"};
  EXPECT_EQ(list(options), "hello:latest\nlocalhost:5000/team/tool:1.2\n<none>:<none>\n");
}

}  // namespace
}  // namespace mybuild::cli
