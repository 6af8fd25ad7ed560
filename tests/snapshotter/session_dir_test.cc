// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/session_dir.h"

#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"

#include <sys/wait.h>

#include <thread>

namespace mybuild::snapshotter::testing {
namespace {

class SessionDirTest : public ::testing::Test {
 protected:
  std::vector<std::string> names(const std::string& part) const {
    const Fd fd = must(sys::open(root_.path() + "/" + part, O_RDONLY | O_DIRECTORY));
    return must(sys::list_dir(fd.get()));
  }
  TempDir root_ = must(TempDir::create());
};

TEST_F(SessionDirTest, nothing_is_left_after_an_orderly_end) {
  {
    const auto session = must(SessionDir::open(root_.path()));
    const TempDir one = must(session->make());
    const TempDir two = must(session->make());
    EXPECT_NE(one.path(), two.path());
  }
  EXPECT_TRUE(names("tmp").empty());
}

TEST_F(SessionDirTest, what_a_killed_process_left_goes_at_the_next_start) {
  const auto first = must(SessionDir::open(root_.path()));
  const pid_t child = ::fork();
  if (child == 0) {
    auto session = must(SessionDir::open(root_.path()));
    const TempDir dir = must(session->make());
    TreeMaker(dir.path()).file("a/b", "x");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(names("tmp").size(), 1U);
  const auto next = must(SessionDir::open(root_.path()));
  EXPECT_TRUE(names("tmp").empty());
}

TEST_F(SessionDirTest, a_living_session_is_left_alone) {
  const auto first = must(SessionDir::open(root_.path()));
  const TempDir dir = must(first->make());
  const auto second = must(SessionDir::open(root_.path()));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, dir.path()));
}

TEST_F(SessionDirTest, discarded_trees_are_gone_at_once_and_removed_soon) {
  const auto session = must(SessionDir::open(root_.path()));
  const std::string tree = root_.path() + "/tree";
  TreeMaker(tree).file("a/b/c", "x").dir("locked", 0000);
  ASSERT_TRUE(session->discard(tree));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, tree));
  for (int i = 0; i < 1000 && !names("trash").empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(names("trash").empty());
  EXPECT_TRUE(session->discard(root_.path() + "/never was"));
}

TEST_F(SessionDirTest, discarding_makes_nothing_so_it_works_where_nothing_can_be_made) {
  const auto session = must(SessionDir::open(root_.path()));
  must(make_dirs(root_.path() + "/tree"));
  ASSERT_TRUE(sys::unlink_at(AT_FDCWD, root_.path() + "/tmp", AT_REMOVEDIR));
  EXPECT_TRUE(session->discard(root_.path() + "/tree"));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, root_.path() + "/tree"));
  must(make_dirs(root_.path() + "/tmp"));
}

TEST_F(SessionDirTest, trash_of_an_earlier_store_is_removed_by_the_next) {
  must(make_dirs(root_.path() + "/trash/old/a/b"));
  const auto session = must(SessionDir::open(root_.path()));
  for (int i = 0; i < 1000 && !names("trash").empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(names("trash").empty());
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
