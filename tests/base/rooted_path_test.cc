// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/rooted_path.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

namespace mybuild {
namespace {

TEST(CleanPath, IsLexicalAndStopsAtTheRoot) {
  EXPECT_EQ(clean_relative("/a//./b/../c/"), "a/c");
  EXPECT_EQ(clean_relative("../../x"), "x");
  EXPECT_EQ(clean_relative("/"), "");
  EXPECT_EQ(clean_relative(""), "");
  EXPECT_EQ(clean_absolute("a/.."), "/");
  EXPECT_EQ(clean_relative("..."), "...");
  EXPECT_EQ(resolve_absolute("/work", "src/../x"), "/work/x");
  EXPECT_EQ(resolve_absolute("/work", "/x"), "/x");
  EXPECT_EQ(path_components("a/b/"), (std::vector<std::string>{"a", "b"}));
}

class RootedPath : public ::testing::Test {
 protected:
  RootedPath() {
    EXPECT_TRUE(make_dirs(directory_.path() + "/root/etc"));
    EXPECT_TRUE(write_file(directory_.path() + "/secret", "outside"));
    EXPECT_TRUE(write_file(directory_.path() + "/root/etc/motd", "inside"));
    root_ = sys::open(directory_.path() + "/root", O_RDONLY | O_DIRECTORY).value();
  }
  std::string read(std::string_view path) {
    const Result<Fd> fd = open_in_root(root_.get(), path, O_RDONLY);
    return fd ? sys::read_to_end(fd->get()).value() : fd.error().message();
  }
  void link(const std::string& name, const std::string& target) {
    ASSERT_TRUE(sys::symlink_at(target, root_.get(), name));
  }

  TempDir directory_ = TempDir::create().value();
  Fd root_;
};

TEST_F(RootedPath, NoWayLeadsOut) {
  link("up", "../secret");
  link("absolute", "/etc/motd");
  link("host", directory_.path() + "/secret");
  link("chain", "up");
  EXPECT_EQ(read("/etc/motd"), "inside");
  EXPECT_EQ(read("absolute"), "inside") << "absolute links start at the root";
  EXPECT_EQ(read("../../../etc/motd"), "inside");
  for (const std::string_view path : {"../secret", "up", "host", "chain", "etc/../../secret"}) {
    EXPECT_EQ(open_in_root(root_.get(), path, O_RDONLY).error().kind(), ErrorKind::NotFound)
        << path;
  }
}

TEST_F(RootedPath, TheRootItselfHasManyNames) {
  for (const std::string_view path : {"", "/", "//", ".", ".."}) {
    EXPECT_TRUE(open_in_root(root_.get(), path, O_RDONLY | O_DIRECTORY)) << path;
  }
}

TEST_F(RootedPath, ANulByteIsNotTheEndOfAName) {
  EXPECT_EQ(open_in_root(root_.get(), std::string_view("etc/motd\0x", 10), O_RDONLY).error().kind(),
            ErrorKind::InvalidArgument);
}

TEST_F(RootedPath, LinkLoopsEnd) {
  link("a", "b");
  link("b", "a");
  EXPECT_EQ(open_in_root(root_.get(), "a", O_RDONLY).error().os_errno(), ELOOP);
}

TEST_F(RootedPath, MakesMissingDirectoriesThroughLinksInsideTheRoot) {
  link("data", "/var/data");
  ASSERT_TRUE(make_dirs_in_root(root_.get(), "var/data", 0750, ::getuid(), ::getgid()));
  ASSERT_TRUE(make_dirs_in_root(root_.get(), "data/x/y", 0700, ::getuid(), ::getgid()));
  const Result<struct stat> made = sys::stat_at(root_.get(), "var/data/x/y");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->st_mode & 07777U, 0700U);
  EXPECT_EQ(sys::stat_at(root_.get(), "var")->st_mode & 07777U, 0750U)
      << "an existing one is left as it is";
  EXPECT_FALSE(make_dirs_in_root(root_.get(), "etc/motd/x", 0700, 0, 0)) << "a file is in the way";
}

}  // namespace
}  // namespace mybuild
