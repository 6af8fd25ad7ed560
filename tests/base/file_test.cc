// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/file.h"

#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <thread>

namespace mybuild {
namespace {

class File : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::size_t names() const {
    const Fd fd = sys::open(directory_.path(), O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get())->size();
  }
  TempDir directory_ = TempDir::create().value();
};

TEST_F(File, IsWrittenAndRead) {
  ASSERT_TRUE(write_file(path("a"), "first, and longer"));
  ASSERT_TRUE(write_file(path("a"), "second"));
  EXPECT_EQ(read_file(path("a")).value(), "second");
  EXPECT_EQ(read_file(path("none")).error().kind(), ErrorKind::NotFound);
}

TEST_F(File, OnlyRegularOnesOfLimitedSizeAreReadFromOutside) {
  ASSERT_TRUE(write_file(path("a"), "12345"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_regular_file(AT_FDCWD, path("a"), 5).value(), "12345");
  EXPECT_EQ(read_regular_file(AT_FDCWD, path("a"), 4).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(read_regular_file(AT_FDCWD, path("fifo"), 5).error().kind(),
            ErrorKind::InvalidArgument);
  EXPECT_EQ(read_regular_file(AT_FDCWD, directory_.path(), 5).error().kind(),
            ErrorKind::InvalidArgument);
}

TEST_F(File, MakeDirsMakesWhatIsMissing) {
  EXPECT_TRUE(make_dirs(path("x/y//z/")));
  EXPECT_TRUE(make_dirs(path("x/y")));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, path("x/y/z")));
  ASSERT_TRUE(write_file(path("f"), ""));
  EXPECT_FALSE(make_dirs(path("f")));
  EXPECT_FALSE(make_dirs(path("f/g")));
}

TEST_F(File, RemoveTreeNeverFollowsLinks) {
  ASSERT_TRUE(make_dirs(path("keep")));
  ASSERT_TRUE(write_file(path("keep/file"), "precious"));
  ASSERT_TRUE(make_dirs(path("gone/sub")));
  ASSERT_TRUE(sys::symlink_at(path("keep"), AT_FDCWD, path("gone/sub/link")));
  EXPECT_TRUE(remove_tree(path("gone")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("gone")));
  EXPECT_EQ(read_file(path("keep/file")).value(), "precious");
  EXPECT_TRUE(remove_tree(path("gone"))) << "a missing path is success";
}

TEST_F(File, RemoveTreeCopesWithUnreadableDirectories) {
  ASSERT_TRUE(make_dirs(path("t/locked/sub")));
  ASSERT_TRUE(write_file(path("t/locked/sub/f"), ""));
  ASSERT_TRUE(sys::fchmod_at(AT_FDCWD, path("t/locked/sub"), 0500));
  ASSERT_TRUE(sys::fchmod_at(AT_FDCWD, path("t/locked"), 0));
  EXPECT_TRUE(remove_tree(path("t")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("t")));
}

TEST_F(File, RemoveTreeGoesDeeperThanDescriptorsReach) {
  // In memory where possible: a disk takes seconds to make so many directories.
  const TempDir top =
      TempDir::create(sys::exists_at(AT_FDCWD, "/dev/shm") ? "/dev/shm" : "").value();
  Fd here = sys::open(top.path(), O_RDONLY | O_DIRECTORY).value();
  for (int depth = 0; depth < 1200; ++depth) {
    ASSERT_TRUE(sys::mkdir_at(here.get(), "d", 0755));
    here = sys::open_at(here.get(), "d", O_RDONLY | O_DIRECTORY).value();
  }
  EXPECT_TRUE(remove_tree(top.path()));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, top.path()));
}

TEST_F(File, TwoMayRemoveOneTreeAtOnce) {
  for (int round = 0; round < 20; ++round) {
    for (int dir = 0; dir < 20; ++dir) {
      const std::string inner = path("shared/") + std::to_string(dir) + "/inner";
      ASSERT_TRUE(make_dirs(inner));
      ASSERT_TRUE(write_file(inner + "/file", ""));
    }
    Status other;
    std::thread thread([&] { other = remove_tree(path("shared")); });
    const Status own = remove_tree(path("shared"));
    thread.join();
    EXPECT_TRUE(own) << own.error().message();
    EXPECT_TRUE(other) << other.error().message();
    EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("shared")));
  }
}

TEST_F(File, AtomicFileShowsOldOrNew) {
  ASSERT_TRUE(write_file(path("a"), "old"));
  {
    auto draft = AtomicFile::create(path("a"));
    ASSERT_TRUE(draft->write(as_bytes("new")));
    EXPECT_EQ(read_file(path("a")).value(), "old");
  }
  EXPECT_EQ(read_file(path("a")).value(), "old") << "it was never committed";
  EXPECT_EQ(names(), 1U) << "and its draft is gone";
  auto draft = AtomicFile::create(path("a"));
  ASSERT_TRUE(draft->write(as_bytes("new")));
  ASSERT_TRUE(std::move(*draft).commit());
  EXPECT_EQ(read_file(path("a")).value(), "new");
  EXPECT_EQ(names(), 1U);
}

TEST_F(File, AnAtomicFileThatCannotBeMadeIsCalledByItsOwnName) {
  EXPECT_EQ(AtomicFile::create(path("no/dir")).error().message(),
            "create " + path("no/dir") + ": No such file or directory");
  ASSERT_TRUE(make_dirs(path("taken/full")));
  auto draft = AtomicFile::create(path("taken"));
  const Status replaced = std::move(*draft).commit();
  EXPECT_EQ(replaced.error().message(), "replace " + path("taken") + ": Is a directory");
}

TEST_F(File, TempDirGoesWithItsHandle) {
  std::string where;
  {
    TempDir one = TempDir::create(directory_.path()).value();
    TempDir two = std::move(one);
    where = two.path();
    ASSERT_TRUE(write_file(where + "/f", "x"));
  }
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, where));
}

TEST_F(File, LocksExcludeEachOther) {
  std::optional<FileLock> first =
      FileLock::try_acquire(path("lock"), FileLock::Mode::Exclusive).value();
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::try_acquire(path("lock"), FileLock::Mode::Shared).value());
  first.reset();
  const auto shared = FileLock::acquire(path("lock"), FileLock::Mode::Shared);
  EXPECT_TRUE(FileLock::try_acquire(path("lock"), FileLock::Mode::Shared).value());
  EXPECT_FALSE(FileLock::try_acquire(path("lock"), FileLock::Mode::Exclusive).value());
}

TEST(JoinPath, PutsOneSlashBetween) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "/b"), "a/b");
  EXPECT_EQ(join_path("a", ""), "a");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(base_name("a/b/c"), "c");
  EXPECT_EQ(base_name("c"), "c");
}

}  // namespace
}  // namespace mybuild
