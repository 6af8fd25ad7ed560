// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/history_list.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

const Time kNow{std::chrono::seconds(1'000'000)};

oci::History entry(std::string by, bool empty = false) {
  return {.created = kNow - std::chrono::hours(2),
          .created_by = std::move(by),
          .author = {},
          .comment = empty ? "c" : "",
          .empty_layer = empty};
}

oci::ImageConfig config() {
  oci::ImageConfig config;
  config.history = {entry("ADD rootfs /"), entry("CMD [\"sh\"]", true),
                    entry("RUN " + std::string(60, 'x') + "\x1b[31m")};
  return config;
}

std::vector<snapshotter::Layer> layers() {
  std::vector<snapshotter::Layer> list(2);
  list[0].diff_id = Digest::of("base");
  list[0].size = 77'812'345;
  list[1].diff_id = Digest::of("run");
  list[1].size = 3;
  return list;
}

std::string history(const HistoryOptions& options) {
  const auto text = history_text(Digest::of("a"), config(), layers(), options, kNow);
  EXPECT_TRUE(text) << text.error().message();
  return text.value_or("");
}

TEST(History, IsDockersTableWithTheLayerOfEachLine) {
  EXPECT_EQ(
      history({}),
      "IMAGE          CREATED       CREATED BY                                      SIZE      "
      "LAYER          COMMENT\n"
      "ca978112ca1b   2 hours ago   RUN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…   3B        " +
          Digest::of("run").hex().substr(0, 12) +
          "   \n"
          "<missing>      2 hours ago   CMD [\"sh\"]                                      0B       "
          " -              c\n"
          "<missing>      2 hours ago   ADD rootfs /                                    77.8MB   "
          " " +
          Digest::of("base").hex().substr(0, 12) + "   \n");
}

TEST(History, NoTruncHasEverythingAndNoControlCharacters) {
  const std::string text = history({.format = {.json = true}, .no_trunc = true, .human = false});
  const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(first["ID"], Digest::of("a").str());
  EXPECT_EQ(first["CreatedBy"], "RUN " + std::string(60, 'x'));
  EXPECT_EQ(first["Layer"], Digest::of("run").str());
  EXPECT_EQ(first["Size"], "3");
  EXPECT_EQ(first["CreatedAt"], "1970-01-12T11:46:40Z");
}

TEST(History, QuietPrintsIds) {
  EXPECT_EQ(history({.quiet = true}), "ca978112ca1b\n<missing>\n<missing>\n");
}

TEST(History, LayersWithoutAnEntryAreShownToo) {
  const auto text = history_text(Digest::of("a"), oci::ImageConfig(), layers(), {}, kNow);
  EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), 3);
}

builder::StoreUsage usage() {
  builder::StoreUsage sum{
      .image_bytes = 1010, .used_bytes = 1000, .cache_bytes = 5, .blob_bytes = 400};
  sum.images = {{.config = Digest::of("a"),
                 .names = {"docker.io/library/a:1"},
                 .size = 1000,
                 .shared = 1000,
                 .containers = 1},
                {.config = Digest::of("b"), .names = {}, .size = 1010, .shared = 1000}};
  sum.layers = {{.diff_id = Digest::of("base"), .size = 1000, .blob_size = 400, .images = 2},
                {.diff_id = Digest::of("own"), .size = 10, .images = 1},
                {.diff_id = Digest::of("old"), .size = 5}};
  return sum;
}

TEST(Usage, TheSummaryIsDockersTheImagesFollow) {
  EXPECT_EQ(usage_text(usage(), {}, kNow).value(),
            "TYPE          TOTAL     ACTIVE    SIZE      RECLAIMABLE\n"
            "Images        2         1         1.01kB    10B (0%)\n"
            "Build Cache   1         0         5B        5B (100%)\n"
            "Layer Blobs   1         0         400B      400B (100%)\n"
            "\n"
            "IMAGE     IMAGE ID       CREATED   SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS\n"
            "a:1       ca978112ca1b   N/A       1kB       1kB           0B            1\n"
            "<none>    3e23e8160039   N/A       1.01kB    1kB           10B           0\n");
}

TEST(Usage, JsonHasBytes) {
  const std::string lines = usage_text(usage(), {.format = {.json = true}}, kNow).value();
  EXPECT_EQ(nlohmann::json::parse(lines.substr(0, lines.find('\n')))["SizeBytes"], 1010);
  const auto whole = nlohmann::json::parse(
      usage_text(usage(), {.format = {.json = true}, .verbose = true}, kNow).value());
  EXPECT_EQ(whole["Images"][1]["UniqueSize"], 10);
  EXPECT_EQ(whole["Layers"].size(), 3U);
  EXPECT_EQ(usage_text(usage(), {.format = {.line = "{{.Type}}"}}, kNow).value(),
            "Images\nBuild Cache\nLayer Blobs\n");
}

}  // namespace
}  // namespace mybuild::cli
