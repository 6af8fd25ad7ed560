// SPDX-License-Identifier: Apache-2.0
#include "builder/run/disk_usage.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

namespace mybuild::run {
namespace {

class DiskUsage : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }
  TempDir dir_ = TempDir::create().value();
};

TEST_F(DiskUsage, CountsFilesAndLinksButNoDirectories) {
  ASSERT_TRUE(make_dirs(path("a/b")));
  ASSERT_TRUE(write_file(path("x"), "123"));
  ASSERT_TRUE(write_file(path("a/b/y"), "4567"));
  ASSERT_TRUE(sys::symlink_at("/etc", AT_FDCWD, path("a/link")));
  EXPECT_EQ(tree_bytes(dir_.path()).value(), 3U + 4U + 4U);
}

TEST_F(DiskUsage, AFileWithSeveralNamesIsOne) {
  ASSERT_TRUE(write_file(path("x"), "123"));
  ASSERT_TRUE(sys::link_at(AT_FDCWD, path("x"), AT_FDCWD, path("y")));
  EXPECT_EQ(tree_bytes(dir_.path()).value(), 3U);
}

TEST_F(DiskUsage, WhatIsNotThereHoldsNothing) {
  EXPECT_EQ(tree_bytes(path("absent")).value(), 0U);
  ASSERT_TRUE(sys::symlink_at("/usr", AT_FDCWD, path("link")));
  EXPECT_EQ(tree_bytes(path("link")).value(), 0U) << "a link leads nowhere";
}

TEST_F(DiskUsage, ATreeMayBeDeeperThanAPathIsLong) {
  constexpr int kDepth = 300;
  const std::string name(40, 'd');
  Fd dir = sys::open(dir_.path(), O_RDONLY | O_DIRECTORY).value();
  for (int depth = 0; depth < kDepth; ++depth) {
    ASSERT_TRUE(sys::mkdir_at(dir.get(), name, 0755));
    dir = sys::open_at(dir.get(), name, O_RDONLY | O_DIRECTORY).value();
  }
  const Fd file = sys::open_at(dir.get(), "f", O_WRONLY | O_CREAT, 0644).value();
  ASSERT_TRUE(sys::write_all(file.get(), as_bytes("deep")));
  EXPECT_EQ(tree_bytes(dir_.path()).value(), 4U);
}

}  // namespace
}  // namespace mybuild::run
