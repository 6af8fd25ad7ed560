// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_view.h"

#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"

#include <cerrno>
#include <thread>

namespace mybuild::snapshotter::testing {
namespace {

class TreeViewTest : public ::testing::Test {
 protected:
  std::string layer(int number) const { return dir_.path() + "/" + std::to_string(number); }
  std::unique_ptr<TreeView> stack(int layers) const {
    std::vector<std::string> dirs;
    for (int i = 0; i < layers; ++i) {
      dirs.push_back(layer(i));
    }
    return must(open_layered_view(dirs));
  }
  static std::string read(const TreeView& view, const std::string& path) {
    return must(view.read_small(path, 1000)).value_or("<none>");
  }

  TempDir dir_ = must(TempDir::create());
};

using Names = std::vector<std::string>;

TEST_F(TreeViewTest, an_empty_stack_is_an_empty_root) {
  const auto view = must(open_layered_view({}));
  EXPECT_EQ(must(view->lookup(""))->type, EntryType::Directory);
  EXPECT_EQ(must(view->list("")), Names{});
  EXPECT_FALSE(must(view->lookup("etc")));
  EXPECT_EQ(must(view->resolve("/a/../b/")), "b");
}

TEST_F(TreeViewTest, the_topmost_layer_wins) {
  TreeMaker(layer(0)).file("a/one", "low").file("a/two", "low");
  TreeMaker(layer(1)).file("a/two", "high").dir("a", 0700);
  const auto view = stack(2);
  EXPECT_EQ(read(*view, "a/one"), "low");
  EXPECT_EQ(read(*view, "a/two"), "high");
  EXPECT_EQ(must(view->lookup("a"))->mode, 0700U);
  EXPECT_EQ(must(view->list("a")), (Names{"one", "two"}));
}

TEST_F(TreeViewTest, a_whiteout_hides_and_a_later_layer_shows_again) {
  TreeMaker(layer(0)).file("d/x", "0").file("d/y", "0");
  TreeMaker(layer(1)).whiteout("d/x").whiteout("d/y");
  TreeMaker(layer(2)).file("d/y", "2");
  EXPECT_EQ(must(stack(2)->list("d")), Names{});
  EXPECT_FALSE(must(stack(2)->lookup("d/x")));
  EXPECT_EQ(must(stack(3)->list("d")), Names{"y"});
  EXPECT_EQ(read(*stack(3), "d/y"), "2");
}

TEST_F(TreeViewTest, a_whiteout_of_a_directory_hides_all_below) {
  TreeMaker(layer(0)).file("d/e/f", "0");
  TreeMaker(layer(1)).whiteout("d");
  TreeMaker(layer(2)).file("d/new", "2");
  EXPECT_FALSE(must(stack(2)->lookup("d/e/f")));
  EXPECT_FALSE(stack(2)->list("d"));
  EXPECT_EQ(must(stack(3)->list("d")), Names{"new"});
}

TEST_F(TreeViewTest, an_opaque_directory_hides_the_lower_ones_only) {
  TreeMaker(layer(0)).file("d/old", "0");
  TreeMaker(layer(1)).opaque("d").file("d/mid", "1");
  TreeMaker(layer(2)).file("d/new", "2");
  const auto view = stack(3);
  EXPECT_EQ(must(view->list("d")), (Names{"mid", "new"}));
  EXPECT_FALSE(must(view->lookup("d/old")));
  EXPECT_FALSE(must(view->lookup("d"))->opaque);
}

TEST_F(TreeViewTest, a_file_in_between_cuts_a_directory) {
  TreeMaker(layer(0)).file("d/old", "0");
  TreeMaker(layer(1)).file("d", "file");
  TreeMaker(layer(2)).file("d/new", "2");
  EXPECT_EQ(must(stack(2)->lookup("d"))->type, EntryType::File);
  EXPECT_FALSE(must(stack(2)->lookup("d/old")));
  EXPECT_EQ(must(stack(3)->list("d")), Names{"new"});
}

TEST_F(TreeViewTest, a_link_to_a_directory_does_not_merge_with_one) {
  TreeMaker(layer(0)).file("lib/x", "0").file("usr/y", "0");
  TreeMaker(layer(1)).link("lib", "usr");
  const auto view = stack(2);
  EXPECT_FALSE(must(view->lookup("lib/x")));
  EXPECT_FALSE(must(view->lookup("lib/y")));  // lookup follows nothing
  EXPECT_EQ(must(view->resolve("lib/y")), "usr/y");
}

TEST_F(TreeViewTest, many_lookups_in_one_directory_agree_with_single_ones) {
  for (int l = 0; l < 5; ++l) {
    TreeMaker maker(layer(l));
    for (int i = l; i < 60; i += l + 1) {
      maker.file(fmt::format("d/f{}", i), std::to_string(l));
    }
    maker.whiteout(fmt::format("d/g{}", l)).whiteout(fmt::format("d/f{}", 100 + l));
  }
  const auto warm = stack(5);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 110; ++i) {
      const std::string path = fmt::format("d/f{}", i);
      const auto one = must(stack(5)->lookup(path));
      const auto other = must(warm->lookup(path));
      ASSERT_EQ(one.has_value(), other.has_value()) << path;
      if (one) {
        EXPECT_EQ(read(*stack(5), path), read(*warm, path));
      }
    }
  }
}

TEST_F(TreeViewTest, names_that_would_leave_a_directory_are_not_there) {
  TreeMaker(layer(0)).file("d/x", "0");
  const auto view = stack(1);
  for (const char* path : {"..", "d/..", "d/../d/x", ".", "d/.", "d//x", "d/"}) {
    EXPECT_FALSE(must(view->lookup(path))) << path;
  }
}

TEST_F(TreeViewTest, resolve_stays_inside_and_keeps_what_is_missing) {
  TreeMaker(layer(0))
      .dir("usr/lib")
      .link("lib", "usr/lib")
      .link("abs", "/usr")
      .link("up", "../../../../usr")
      .link("a/b/rel", "../c")
      .link("gone", "nowhere/at/all");
  const auto view = stack(1);
  EXPECT_EQ(must(view->resolve("/lib/x")), "usr/lib/x");
  EXPECT_EQ(must(view->resolve("abs/lib")), "usr/lib");
  EXPECT_EQ(must(view->resolve("up/lib")), "usr/lib");
  EXPECT_EQ(must(view->resolve("a/b/rel/f")), "a/c/f");
  EXPECT_EQ(must(view->resolve("gone/x")), "nowhere/at/all/x");
  EXPECT_EQ(must(view->resolve("missing/../lib")), "usr/lib");
  EXPECT_EQ(must(view->resolve("lib", false)), "lib");
  EXPECT_EQ(must(view->resolve("abs/lib/..", false)), "usr");
  EXPECT_EQ(must(view->resolve("../../..")), "");
}

TEST_F(TreeViewTest, a_circle_of_links_is_an_error) {
  TreeMaker(layer(0)).link("a", "b").link("b", "a");
  const auto resolved = stack(1)->resolve("a/x");
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().os_errno(), ELOOP);
}

TEST_F(TreeViewTest, read_small_reads_regular_files_up_to_a_limit) {
  TreeMaker(layer(0)).file("f", "12345").link("l", "f").dir("d").fifo("p");
  const auto view = stack(1);
  EXPECT_EQ(must(view->read_small("l", 5)), "12345");
  EXPECT_FALSE(view->read_small("l", 4));
  EXPECT_EQ(must(view->read_small("d", 5)), std::nullopt);
  EXPECT_EQ(must(view->read_small("p", 5)), std::nullopt);
  EXPECT_EQ(must(view->read_small("none", 5)), std::nullopt);
}

TEST_F(TreeViewTest, entries_carry_all_metadata) {
  TreeMaker(layer(0))
      .file("f", "x", 04755)
      .owner("f", 12, 34)
      .time("f", 77)
      .device("null", 1, 3)
      .fifo("p")
      .link("l", "target text");
  must(sys::fchmod_at(AT_FDCWD, layer(0) + "/f", 04755));
  TreeMaker(layer(0)).xattr("f", "user.k", "v").xattr("f", "user.overlay.k", "v").time("f", 77);
  const auto view = stack(1);
  const Entry file = *must(view->lookup("f"));
  EXPECT_EQ(file.mode, 04755U);
  EXPECT_EQ(file.uid, 12U);
  EXPECT_EQ(file.gid, 34U);
  EXPECT_EQ(file.size, 1U);
  EXPECT_EQ(file.mtime.tv_sec, 77);
  EXPECT_EQ(file.xattrs.map(), (std::map<std::string, std::string>{{"user.k", "v"}}));
  EXPECT_EQ(must(view->lookup("l"))->link, "target text");
  EXPECT_EQ(must(view->lookup("p"))->type, EntryType::Fifo);
  const Entry device = *must(view->lookup("null"));
  EXPECT_EQ(device.type, EntryType::CharDevice);
  EXPECT_EQ(device.device_major, 1U);
  EXPECT_EQ(device.device_minor, 3U);
}

TEST_F(TreeViewTest, hard_links_share_an_id) {
  TreeMaker(layer(0)).file("a", "x").hard_link("d/b", "a").file("c", "x");
  const auto view = stack(1);
  EXPECT_TRUE(must(view->hard_link_id("a")));
  EXPECT_EQ(must(view->hard_link_id("a")), must(view->hard_link_id("d/b")));
  EXPECT_FALSE(must(view->hard_link_id("c")));
  EXPECT_FALSE(must(view->hard_link_id("none")));
}

TEST_F(TreeViewTest, a_plain_directory_knows_no_whiteouts) {
  TreeMaker(layer(0)).whiteout("w").opaque("o");
  const auto view = must(open_directory_view(layer(0)));
  EXPECT_EQ(must(view->lookup("w"))->type, EntryType::CharDevice);
  EXPECT_FALSE(must(view->lookup("o"))->opaque);
  EXPECT_EQ(must(view->list("")), (Names{"o", "w"}));
}

TEST_F(TreeViewTest, opening_what_is_not_a_file_is_an_error_and_never_waits) {
  TreeMaker(layer(0)).fifo("p").link("l", "f").file("f", "x").dir("d");
  const auto view = stack(1);
  for (const char* path : {"p", "l", "d", "none"}) {
    Entry entry;
    entry.path = path;
    EXPECT_FALSE(view->open(entry)) << path;
  }
}

TEST_F(TreeViewTest, more_directories_than_are_cached_can_be_walked) {
  TreeMaker maker(layer(0));
  for (int i = 0; i < 400; ++i) {
    maker.file(fmt::format("d{}/f", i), "x");
  }
  const auto view = stack(1);
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(must(view->lookup(fmt::format("d{}/f", i))));
  }
}

TEST_F(TreeViewTest, threads_may_share_a_view) {
  for (int l = 0; l < 3; ++l) {
    TreeMaker maker(layer(l));
    for (int i = 0; i < 300; ++i) {
      maker.file(fmt::format("d{}/f{}", i % 30, i), "x");
    }
  }
  const auto view = stack(3);
  std::vector<std::thread> threads;
  std::atomic<int> found = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        const auto entry = view->lookup(fmt::format("d{}/f{}", i % 30, i));
        found += entry && *entry ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(found, 1200);
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
