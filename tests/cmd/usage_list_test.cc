// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/usage_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const Time kNow{std::chrono::seconds(1'000'000)};

builder::ContainerUsage container(const std::string& name, run::ContainerStatus status,
                                  std::uint64_t size) {
  builder::ContainerUsage usage{.container = {}, .size = size};
  usage.container.record.id = std::string(64, name[0]);
  usage.container.record.name = name;
  usage.container.record.image = "a:1";
  usage.container.record.created = kNow - std::chrono::hours(3);
  usage.container.state.status = status;
  return usage;
}

space::Item item(space::Place place, space::ItemType type, const std::string& id,
                 std::uint64_t size) {
  return {.place = place, .type = type, .id = id, .size = size, .description = "of a test"};
}

builder::StoreUsage usage() {
  builder::StoreUsage sum{.used_bytes = 1000};
  sum.images = {{.config = Digest::of("a"),
                 .names = {"docker.io/library/a:1"},
                 .size = 1000,
                 .shared = 1000,
                 .containers = 1},
                {.config = Digest::of("b"), .names = {}, .size = 1010, .shared = 1000}};
  sum.layers = {{.diff_id = Digest::of("base"), .size = 1000, .blob_size = 400, .images = 2},
                {.diff_id = Digest::of("own"), .size = 10, .images = 1},
                {.diff_id = Digest::of("old"), .size = 5}};
  sum.containers = {container("busy", run::ContainerStatus::Running, 30),
                    container("done", run::ContainerStatus::Exited, 10)};
  sum.volumes = {{.name = "data", .size = 7, .containers = 2}, {.name = "left", .size = 3}};
  using space::ItemType;
  using space::Place;
  sum.items = {item(Place::Tree, ItemType::Image, "base", 1000),
               item(Place::Tree, ItemType::Regular, "own", 10),
               item(Place::Tree, ItemType::Regular, "old", 5),
               item(Place::Blob, ItemType::Image, "blob", 400),
               item(Place::Mirror, ItemType::GitCheckout, "mirror", 20),
               item(Place::CacheMount, ItemType::CacheMount, "/go", 4),
               item(Place::CacheMount, ItemType::CacheMount, "/npm", 6)};
  sum.items[0].needed = sum.items[1].needed = sum.items[3].needed = true;
  sum.items[4].name = "https://h.org/a.git";
  sum.items[5].in_use = true;
  return sum;
}

TEST(Usage, TheSummaryIsDockersTheImagesFollow) {
  EXPECT_EQ(usage_text(usage(), {}, kNow).value(),
            "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE\n"
            "Images          2         1         1.01kB    10B (0%)\n"
            "Containers      2         1         40B       10B (25%)\n"
            "Local Volumes   2         1         10B       3B (30%)\n"
            "Build Cache     1         0         5B        5B (100%)\n"
            "Blobs           1         1         400B      0B (0%)\n"
            "Git Mirrors     1         0         20B       20B (100%)\n"
            "Cache Mounts    2         1         10B       6B (60%)\n"
            "Index           0         0         0B        0B\n"
            "Total           11        5         1.5kB     54B (3%)\n"
            "\n"
            "IMAGE     IMAGE ID       CREATED   SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS\n"
            "a:1       ca978112ca1b   N/A       1kB       1kB           0B            1\n"
            "<none>    3e23e8160039   N/A       1.01kB    1kB           10B           0\n");
}

TEST(Usage, VerboseListsAllThereIs) {
  const std::string text = usage_text(usage(), {.verbose = true}, kNow).value();
  EXPECT_THAT(text, HasSubstr("\nCONTAINER ID   IMAGE     CREATED       SIZE      STATE     NAMES\n"
                              "bbbbbbbbbbbb   a:1       3 hours ago   30B       running   busy\n"));
  EXPECT_THAT(text, HasSubstr("\nVOLUME NAME   LINKS     SIZE\ndata          2         7B\n"));
  EXPECT_THAT(text, HasSubstr("\nLAYER "));
  EXPECT_THAT(text, HasSubstr("\nGIT REMOTE            SIZE      IN USE\n"
                              "https://h.org/a.git   20B       no\n"));
  EXPECT_THAT(usage_text({}, {.verbose = true}, kNow).value(), Not(HasSubstr("\n\n")));
}

TEST(Usage, JsonHasBytes) {
  const std::string lines = usage_text(usage(), {.format = "json"}, kNow).value();
  EXPECT_EQ(json::parse(lines.substr(0, lines.find('\n')))["SizeBytes"], 1010);
  const auto whole =
      json::parse(usage_text(usage(), {.format = "json", .verbose = true}, kNow).value());
  EXPECT_EQ(whole["Images"][1]["UniqueSize"], 10);
  EXPECT_EQ(whole["Layers"].size(), 3U);
  EXPECT_EQ(whole["Containers"][0], json::parse(R"({"ID":")" + std::string(64, 'b') +
                                                R"(","Name":"busy","Image":"a:1",)"
                                                R"("State":"running","Size":30})"));
  EXPECT_EQ(whole["Volumes"][1], json::parse(R"({"Name":"left","Size":3,"Containers":0})"));
  EXPECT_EQ(whole["LocalVolumesSize"], 10);
  EXPECT_EQ(whole["Items"].size(), 7U);
  EXPECT_EQ(whole["Items"][4]["Name"], "https://h.org/a.git");
  EXPECT_EQ(whole["Items"][0]["Reclaimable"], false);
  std::uint64_t items = 0;
  for (const json& each : whole["Items"]) {
    items += each["Size"].get<std::uint64_t>();
  }
  EXPECT_EQ(items + 40 + 10, whole["TotalSize"])
      << "items, containers and volumes are all there is";
  EXPECT_EQ(whole["TotalSize"], 1495);
}

TEST(Usage, AFilterListsThoseItemsAlone) {
  DuOptions options{.filters = {"type=exec.cachemount"}};
  ASSERT_TRUE(options.filter.add(options.filters[0], 0));
  EXPECT_EQ(usage_text(usage(), options, kNow).value(),
            "CACHE ID   TYPE              SIZE      CREATED   LAST USED   IN USE    SHARED    "
            "DESCRIPTION\n"
            "/go        exec.cachemount   4B        N/A       N/A         yes       no        of a "
            "test\n"
            "/npm       exec.cachemount   6B        N/A       N/A         no        no        of a "
            "test\n"
            "Total:  10B\n");
  options.format = "json";
  EXPECT_EQ(json::parse(usage_text(usage(), options, kNow).value()).size(), 2U);
}

TEST(Usage, ATemplateIsForTheSummary) {
  EXPECT_EQ(usage_text(usage(), {.format = "{{.Type}}"}, kNow).value(),
            "Images\nContainers\nLocal Volumes\nBuild Cache\nBlobs\nGit Mirrors\nCache "
            "Mounts\nIndex\nTotal\n");
}

}  // namespace
}  // namespace mybuild::cli
