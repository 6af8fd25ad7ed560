// SPDX-License-Identifier: Apache-2.0
// The walk by names is compared with the kernel's own over every path of a small tree.
#include "snapshotter/base/path_walk.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <linux/openat2.h>
#include <sys/syscall.h>

namespace mybuild {
namespace {

constexpr std::uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
constexpr std::uint64_t kNoLinks = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

class PathWalk : public ::testing::Test {
 protected:
  PathWalk() {
    EXPECT_TRUE(make_dirs(directory_.path() + "/root/dir/sub"));
    EXPECT_TRUE(write_file(directory_.path() + "/secret", "outside"));
    EXPECT_TRUE(write_file(directory_.path() + "/root/file", "inside"));
    root_ = sys::open(directory_.path() + "/root", O_RDONLY | O_DIRECTORY).value();
    for (const auto& [name, target] : {std::pair<const char*, const char*>{"up", "../secret"},
                                       {"abs", "/dir"},
                                       {"rel", "dir/sub"},
                                       {"slash", "file/"},
                                       {"loop", "loop"},
                                       {"top", "/"},
                                       {"gone", "nowhere"},
                                       {"far", "abs/sub/.."}}) {
      EXPECT_TRUE(sys::symlink_at(target, root_.get(), name));
    }
  }

  static std::string identity(const Result<Fd>& fd) {
    if (!fd) {
      return fmt::format("errno {}", fd.error().os_errno());
    }
    const struct stat info = sys::fstat(fd->get()).value();
    return fmt::format("inode {}", info.st_ino);
  }

  TempDir directory_ = TempDir::create().value();
  Fd root_;
};

std::vector<std::string> some_paths() {
  const std::vector<std::string> names = {"",    ".",   "..",    "dir",  "sub", "file", "up",
                                          "abs", "rel", "slash", "loop", "top", "gone", "far"};
  std::vector<std::string> paths = {"abs/sub/../../file",
                                    "far/sub/../..",
                                    "top/far/../slash",
                                    "rel/../../../secret",
                                    "dir//sub/./..",
                                    "file/..",
                                    "up/.."};
  for (const std::string& first : names) {
    paths.push_back(first);
    for (const std::string& second : names) {
      paths.push_back(fmt::format("{}/{}", first, second));
    }
  }
  return paths;
}

TEST_F(PathWalk, LeadsWhereTheKernelDoes) {
  if (::syscall(SYS_openat2, -1, "", nullptr, 0) < 0 && errno == ENOSYS) {
    GTEST_SKIP() << "no openat2 to compare with";
  }
  const std::vector<std::string> paths = some_paths();
  for (const std::uint64_t resolve :
       {kInRoot, std::uint64_t{RESOLVE_BENEATH}, kNoLinks, kNoLinks | RESOLVE_NO_XDEV}) {
    for (const int flags : {O_RDONLY, O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY | O_NOFOLLOW,
                            O_RDONLY | O_DIRECTORY, O_WRONLY}) {
      for (const std::string& path : paths) {
        const Result<Fd> kernel = sys::open_at2(root_.get(), path, flags, resolve);
        ASSERT_EQ(identity(walk_and_open(root_.get(), path, flags, resolve)), identity(kernel))
            << path << " flags " << flags << " resolve " << resolve;
      }
    }
  }
}

TEST_F(PathWalk, MakesFilesThroughLinksInside) {
  ASSERT_TRUE(sys::symlink_at("/dir/made", root_.get(), "new"));
  constexpr int kMake = O_WRONLY | O_CREAT;
  EXPECT_EQ(walk_and_open(root_.get(), "new", kMake | O_EXCL, kInRoot, 0640).error().os_errno(),
            EEXIST);
  ASSERT_TRUE(walk_and_open(root_.get(), "new", kMake, kInRoot, 0640));
  EXPECT_EQ(sys::stat_at(root_.get(), "dir/made")->st_mode & 0777U, 0640U);
}

TEST_F(PathWalk, WhatLeadsOutIsAnErrorOfItsOwn) {
  EXPECT_EQ(walk_and_open(root_.get(), "dir/../..", O_PATH, RESOLVE_BENEATH).error().os_errno(),
            EXDEV);
  EXPECT_EQ(walk_and_open(AT_FDCWD, "/", O_PATH, RESOLVE_BENEATH).error().os_errno(), EXDEV);
}

TEST(PathWalkOfMounts, AnotherFileSystemIsSeen) {
  const Fd root = sys::open("/", O_PATH | O_DIRECTORY).value();
  constexpr std::uint64_t kHere = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV;
  EXPECT_TRUE(walk_and_open(root.get(), "proc/self/stat", O_PATH, RESOLVE_IN_ROOT));
  EXPECT_EQ(walk_and_open(root.get(), "proc", O_PATH, kHere).error().os_errno(), EXDEV);
  EXPECT_EQ(walk_and_open(root.get(), "proc/self", O_PATH, kHere).error().os_errno(), EXDEV);
}

}  // namespace
}  // namespace mybuild
