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
  const std::string text = history({.format = "json", .no_trunc = true, .human = false});
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

}  // namespace
}  // namespace mybuild::cli
