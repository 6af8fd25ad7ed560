// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/cache_mount_list.h"

#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

const Time kNow{std::chrono::seconds(1'000'000)};

std::vector<ListedCache> two() {
  caches::Cache go;
  go.key = std::string(64, 'a');
  go.record = caches::CacheRecord{.identity = {},
                                  .created = kNow - std::chrono::hours(3),
                                  .last_used = kNow - std::chrono::hours(2)};
  go.record->identity.id = "/go";
  go.uid = 5;
  go.gid = 6;
  go.mode = 0750;
  go.in_use = true;
  caches::Cache old;
  old.key = std::string(64, 'b');
  old.mode = 0755;
  return {{.cache = go, .size = 1500}, {.cache = old, .size = 0}};
}

TEST(CacheMountList, IsATableOfWhatIsKnown) {
  EXPECT_EQ(cache_mount_list_text(two(), {}, kNow).value(),
            "ID          KEY            SIZE      OWNER     MODE      LAST USED     IN USE\n"
            "/go         aaaaaaaaaaaa   1.5kB     5:6       0750      2 hours ago   yes\n"
            "<unknown>   bbbbbbbbbbbb   0B        0:0       0755      N/A           no\n");
}

TEST(CacheMountList, HasKeysOnlyOrWhatATemplateAsksFor) {
  CacheMountListOptions options;
  options.quiet = true;
  EXPECT_EQ(cache_mount_list_text(two(), options, kNow).value(), "aaaaaaaaaaaa\nbbbbbbbbbbbb\n");
  EXPECT_FALSE(wants_sizes(options));
  options = {.format = "{{.ID}} {{.SizeBytes}}"};
  EXPECT_EQ(cache_mount_list_text(two(), options, kNow).value(), "/go 1500\n<unknown> 0\n");
  EXPECT_TRUE(wants_sizes(options));
  EXPECT_TRUE(wants_sizes({}));
  options.format = "{{.None}}";
  EXPECT_FALSE(cache_mount_list_text(two(), options, kNow));
}

}  // namespace
}  // namespace mybuild::cli
