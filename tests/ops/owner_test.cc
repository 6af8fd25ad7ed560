// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/owner.h"

#include "tests/support/memory_tree.h"

#include <gtest/gtest.h>

namespace mybuild::ops {
namespace {

using testing_support::MemoryTree;

struct Row {
  const char* text;
  uid_t uid;
  gid_t gid;
  bool unknown;
};

const Row kRows[] = {
    {"1000", 1000, 1000, false},  {"1000:7", 1000, 7, false}, {"web", 33, 34, false},
    {"web:staff", 33, 50, false}, {"web:9", 33, 9, false},    {":staff", 0, 50, false},
    {"nobody", 0, 0, true},       {"web:none", 33, 34, true}, {"0", 0, 0, false},
    {"web:", 33, 0, false},       {"7:", 7, 0, false},        {"7:none", 7, 7, true},
    {"+5:6", 5, 6, false},        {"-1", 0, 0, false},        {"2147483648:1", 0, 1, true},
    {"1:2:3", 1, 1, true},        {"blank", 16, 17, false},
};

TEST(OwnerTest, NamesAreLookedUpInTheTree) {
  const MemoryTree tree = {{"etc/passwd",
                            "root:x:0:0::/:/bin/sh\nweb:x:33:34::/www:/bin/false\n"
                            " blank:x:16:17::/:\r\n"},
                           {"etc/group", "root:x:0:\nstaff:x:50:web\n"}};
  for (const Row& row : kRows) {
    std::optional<std::string> unknown;
    const Result<Ids> ids = resolve_owner(row.text, tree, &unknown);
    ASSERT_TRUE(ids.has_value()) << row.text;
    EXPECT_EQ(ids->uid, row.uid) << row.text;
    EXPECT_EQ(ids->gid, row.gid) << row.text;
    EXPECT_EQ(unknown.has_value(), row.unknown) << row.text;
  }
}

TEST(OwnerTest, ATreeWithoutDatabasesKnowsNobody) {
  const MemoryTree tree = {};
  std::optional<std::string> unknown;
  const Result<Ids> ids = resolve_owner("web", tree, &unknown);
  ASSERT_TRUE(ids.has_value());
  EXPECT_EQ(ids->uid, 0u);
  EXPECT_EQ(unknown, "web");
}

}  // namespace
}  // namespace mybuild::ops
