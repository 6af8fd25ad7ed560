// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_filter.h"

#include "snapshotter/oci/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Time kNow{std::chrono::seconds(1'000'000)};

ListedImage image(const std::string& name, const std::string& id, std::int64_t age) {
  return {.row = {.name = name, .config = Digest::of(id), .created = 1'000'000 - age, .size = 1}};
}

std::vector<ListedImage> all() {
  std::vector<ListedImage> images = {
      image("docker.io/library/new:1", "new", 10), image("docker.io/team/tool:2", "tool", 20),
      image("r.example/a/b:3", "deep", 7200), image("", "old", 9000)};
  images[3].digests = {"docker.io/library/once@" + Digest::of("m").str()};
  return images;
}

Result<std::vector<ListedImage>> filter(const Filters& filters) {
  TRY(check_image_filters(filters));
  const ImageLookups lookups{
      .config = [](const snapshotter::ImageRow& row) -> Result<oci::ImageConfig> {
        oci::ImageConfig config;
        if (row.config == Digest::of("tool")) {
          config.labels = {{"tier", "web"}, {"team", "x"}};
        }
        return config;
      },
      .find = [](const std::string& name) -> Result<snapshotter::ImageRow> {
        return name == "tool" ? Result(all()[1].row) : not_found("no such image: {}", name);
      }};
  return wanted_images(all(), filters, lookups, kNow);
}

std::vector<std::string> names(const Filters& filters) {
  const auto wanted = filter(filters);
  EXPECT_TRUE(wanted) << wanted.error().message();
  std::vector<std::string> list;
  for (const ListedImage& each : *wanted) {
    const std::string& name = each.row.name;
    list.push_back(name.empty() ? "" : oci::Reference::parse(name).value().familiar());
  }
  return list;
}

TEST(ImageFilter, DanglingImagesHaveNoTag) {
  EXPECT_THAT(names({{"dangling", "true"}}), ElementsAre(""));
  EXPECT_THAT(names({{"dangling", "0"}}), ElementsAre("new:1", "team/tool:2", "r.example/a/b:3"));
}

TEST(ImageFilter, AReferenceIsAPatternOnTheNameAsItIsShown) {
  EXPECT_THAT(names({{"reference", "new"}}), ElementsAre("new:1"));
  EXPECT_THAT(names({{"reference", "n*:[0-9]"}}), ElementsAre("new:1"));
  EXPECT_THAT(names({{"reference", "*"}}), ElementsAre("new:1", ""));
  EXPECT_THAT(names({{"reference", "*/*"}}), ElementsAre("team/tool:2"));
  EXPECT_THAT(names({{"reference", "*/*/b"}, {"reference", "new:2"}}),
              ElementsAre("r.example/a/b:3"));
  EXPECT_THAT(names({{"reference", "once"}}), ElementsAre(""));
  EXPECT_THAT(names({{"reference", "ne"}}), IsEmpty());
}

TEST(ImageFilter, AllLabelsHaveToBeThere) {
  EXPECT_THAT(names({{"label", "tier"}, {"label", "team=x"}}), ElementsAre("team/tool:2"));
  EXPECT_THAT(names({{"label", "tier=db"}}), IsEmpty());
}

TEST(ImageFilter, TimesAreThoseOfImagesOrOfTheClock) {
  EXPECT_THAT(names({{"before", "tool"}}), ElementsAre("r.example/a/b:3", ""));
  EXPECT_THAT(names({{"since", "tool"}}), ElementsAre("new:1"));
  EXPECT_THAT(names({{"until", "1h"}}), ElementsAre("r.example/a/b:3", ""));
  EXPECT_THAT(names({{"until", "1h"}, {"dangling", "false"}}), ElementsAre("r.example/a/b:3"));
}

TEST(ImageFilter, WhatCannotBeMeantIsRefused) {
  EXPECT_THAT(filter({{"name", "x"}}).error().message(), HasSubstr("no filter 'name'"));
  EXPECT_FALSE(filter({{"dangling", "maybe"}}));
  EXPECT_FALSE(filter({{"until", "soon"}}));
  EXPECT_THAT(filter({{"before", "gone"}}).error().message(), HasSubstr("no such image: gone"));
}

}  // namespace
}  // namespace mybuild::cli
