// SPDX-License-Identifier: Apache-2.0
// What is believed of trees from outside: after a reboot, a copy of the state directory, damage.
#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"

#include <array>
#include <cstdlib>

namespace mybuild::snapshotter::testing {
namespace {

class TreeGuardTest : public ::testing::Test {
 protected:
  /// Unpacks a chain; its blobs are not to be had again.
  void unpack(const std::vector<std::vector<ArchiveEntry>>& chain) {
    std::vector<LayerBlob> blobs;
    for (const auto& entries : chain) {
      blobs.push_back(blob_of(make_archive(entries)));
      ids_.push_back(blobs.back().diff_id);
      oci::Descriptor gone;
      gone.media_type = oci::kMediaTypeLayerGzip;
      must(store_->layers->add_original_blob(ids_.back(), gone));
    }
    must(store_->layers->unpack(blobs, lanes_));
  }
  void reboot() {
    must(write_file(store_->root + "/boot", "an earlier boot"));
    store_->reopen();
  }
  std::string top() { return must(store_->layers->tree(ids_)).value_or("<missing>"); }
  bool is_believed() { return must(store_->layers->trees(ids_)).has_value(); }
  std::vector<TreeCondition> conditions() {
    std::vector<TreeCondition> found;
    for (const StoredTree& tree : must(store_->layers->stored_trees())) {
      found.push_back(must(store_->layers->check_tree(tree)));
    }
    return found;
  }
  /// Keeps what stat(2) says, as a disk does that forgets.
  static void rot(const std::string& file, const std::string& text) {
    const struct stat before = must(sys::lstat_at(AT_FDCWD, file));
    must(write_file(file, text));
    must(sys::set_times_at(AT_FDCWD, file, before.st_mtim));
  }

  std::unique_ptr<TestStore> store_ = std::make_unique<TestStore>();
  Lanes lanes_{Lanes::Caps{}};
  std::vector<Digest> ids_;
};

TEST_F(TreeGuardTest, a_whole_foreign_tree_is_kept_after_a_reboot_and_known_to_be_on_the_disk) {
  unpack({{archive_dir("d", 0711), archive_file("d/a", std::string(300'000, 'x')),
           archive_link("l", "d/a"), archive_hard_link("h", "d/a")},
          {archive_whiteout("l"), archive_file("d/b", "y"), archive_hard_link("d/c", "d/a")}});
  ASSERT_NE(top().find("/chain-"), std::string::npos);
  reboot();
  EXPECT_EQ(conditions(), std::vector(2, TreeCondition::Whole));
  EXPECT_TRUE(is_believed());
  EXPECT_TRUE(must(store_->metadata->trees().unsynced()).empty());
  EXPECT_EQ(store_->layers->damage_found(), 0U);
}

TEST_F(TreeGuardTest, layers_that_an_image_has_twice_are_believed_with_all_others_of_the_chain) {
  const std::vector<ArchiveEntry> same = {archive_dir("d"), archive_file("d/a", "x")};
  unpack({same, {}, {archive_file("implied/b", "y")}, {}, same});
  ASSERT_EQ(must(store_->layers->stored_trees()).size(), 3U);
  store_->reopen();
  EXPECT_TRUE(is_believed());
  EXPECT_EQ(conditions(), std::vector(3, TreeCondition::Whole));
  EXPECT_EQ(store_->layers->damage_found(), 0U);
}

TEST_F(TreeGuardTest, a_foreign_tree_that_was_torn_goes) {
  unpack({{archive_file("a", "x"), archive_file("b", "y")}});
  rot(top() + "/a", std::string("\0", 1));
  reboot();
  EXPECT_EQ(conditions(), std::vector{TreeCondition::Changed});
  EXPECT_EQ(top(), "<missing>");
}

TEST_F(TreeGuardTest, a_copy_of_the_store_is_as_good_as_the_store) {
  unpack({{archive_dir("d"), archive_file("d/a", "x"), archive_whiteout("gone")}});
  const TempDir place = must(TempDir::create());
  const std::string copy = place.path() + "/copy";
  ASSERT_EQ(std::system(("cp -a " + store_->root + " " + copy).c_str()), 0);
  store_ = std::make_unique<TestStore>(copy);
  EXPECT_EQ(conditions(), std::vector{TreeCondition::Whole});
  EXPECT_TRUE(is_believed());
  store_->reopen();
  rot(top() + "/d/a", "y");
  EXPECT_EQ(conditions(), std::vector{TreeCondition::Changed});
  EXPECT_FALSE(is_believed());
}

TEST_F(TreeGuardTest, a_foreign_tree_is_compared_with_its_witness_before_it_is_called_damaged) {
  unpack({{archive_dir("d"), archive_file("d/a", "x")}});
  const std::string tree = top();
  const auto touch = [&](const std::string& path, std::int64_t seconds) {
    must(sys::set_times_at(AT_FDCWD, tree + path, {.tv_sec = seconds, .tv_nsec = 0}));
  };
  const std::function<void()> harmless[] = {
      [&] { must(sys::fchmod_at(AT_FDCWD, tree + "/d", 0755)); },
      [&] {
        must(write_file(tree + "/d/new", ""));
        must(remove_tree(tree + "/d/new"));
        touch("/d", 7);
      },
  };
  for (const auto& change : harmless) {
    store_->reopen();
    change();
    EXPECT_TRUE(is_believed());
  }
  store_->reopen();
  touch("/d/a", 8);
  EXPECT_FALSE(is_believed());
}

TEST_F(TreeGuardTest, what_a_tree_takes_on_the_disk_is_noted) {
  std::vector<ArchiveEntry> many{archive_dir("d")};
  for (int i = 0; i < 20; ++i) {
    many.push_back(archive_file("d/" + std::to_string(i), "x"));
  }
  many.push_back(archive_hard_link("d/again", "d/0"));
  unpack({many});
  const std::uint64_t disk = must(store_->metadata->trees().all()).at(0).disk;
  EXPECT_GE(disk, 20U * 512);  // whatever the block size
  EXPECT_EQ(disk % 512, 0U);
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
