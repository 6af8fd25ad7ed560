// SPDX-License-Identifier: Apache-2.0
// Stores on file systems that cannot hold overlayfs' marks of deletions, and what becomes of them
// elsewhere.
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_scan.h"
#include "snapshotter/whiteout.h"
#include "tests/snapshotter/overlay_mount.h"
#include "tests/snapshotter/tree_support.h"

#include <array>

namespace mybuild::snapshotter::testing {
namespace {

class PortableMarksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!place_.problem().empty()) {
      GTEST_SKIP() << "no overlayfs to work on: " << place_.problem();
    }
    on_overlay_ = std::make_unique<TestStore>(place_.path());
  }

  static Layer commit(TestStore& store) {
    const TempDir draft = must(store.layers->scratch());
    const std::string dir = draft.path() + "/fs";
    TreeMaker(dir)
        .file("a/b", "x")
        .hard_link("a/c", "a/b")
        .whiteout("a/gone")
        .opaque("o")
        .file("o/new", "y")
        .opaque("a/empty");
    must(sys::fchmod_at(AT_FDCWD, dir, 0711));
    return must(store.layers->commit_tree(dir));
  }
  static std::string tree(TestStore& store, const Digest& id) {
    return must(store.layers->tree(std::array{id})).value_or("<missing>");
  }
  static std::string tar(TestStore& store, const Digest& id) {
    StringSink sink;
    must(store.layers->write_tar(id, sink));
    return sink.text;
  }
  static bool portable(const std::string& dir) {
    const Fd fd = must(sys::open(dir, O_RDONLY | O_DIRECTORY));
    return must(has_portable_marks(fd.get()));
  }
  /// The same files as the kernel below the overlayfs has them, where its marks are possible.
  TestStore& moved_off() {
    on_overlay_.reset();
    place_.unmount();
    off_ = std::make_unique<TestStore>(place_.raw());
    return *off_;
  }

  OverlayPlace place_;
  std::unique_ptr<TestStore> on_overlay_;
  std::unique_ptr<TestStore> off_;
};

TEST_F(PortableMarksTest, a_directory_says_which_marks_it_holds) {
  EXPECT_FALSE(must(holds_overlay_marks(place_.path())));
  EXPECT_TRUE(must(holds_overlay_marks(place_.raw())));
}

TEST_F(PortableMarksTest, the_same_tree_is_the_same_layer_in_either_form) {
  TestStore ordinary;
  const Layer one = commit(*on_overlay_);
  const Layer two = commit(ordinary);
  EXPECT_EQ(one.diff_id, two.diff_id);
  EXPECT_EQ(one.changes, two.changes);
  EXPECT_EQ(tar(*on_overlay_, one.diff_id), tar(ordinary, two.diff_id));
  EXPECT_TRUE(portable(tree(*on_overlay_, one.diff_id)));
  EXPECT_FALSE(portable(tree(ordinary, two.diff_id)));
}

TEST_F(PortableMarksTest, a_list_with_deletions_can_be_realised) {
  const Layer layer = commit(*on_overlay_);
  const std::string dir = tree(*on_overlay_, layer.diff_id);
  Fd fd = must(sys::open(dir, O_RDONLY | O_DIRECTORY));
  ChangeList changes = must(scan_layer_tree(fd.get())).changes;
  const auto contents = tree_contents(std::move(fd));
  TestStore other(place_.path() + "/other");
  EXPECT_EQ(must(other.layers->commit_changes(std::move(changes), *contents)).diff_id,
            layer.diff_id);
}

TEST_F(PortableMarksTest,
       overlayfs_gets_a_tree_with_its_own_marks_when_the_store_is_used_where_they_work) {
  const Layer layer = commit(*on_overlay_);
  const std::string before = describe_layers({tree(*on_overlay_, layer.diff_id)});
  const std::string bytes = tar(*on_overlay_, layer.diff_id);
  TestStore& store = moved_off();
  const std::string dir = tree(store, layer.diff_id);
  EXPECT_TRUE(dir.ends_with("/fs")) << dir;
  EXPECT_FALSE(portable(dir));
  EXPECT_EQ(describe_layers({dir}), before);
  EXPECT_EQ(tar(store, layer.diff_id), bytes);
  EXPECT_EQ(tree(store, layer.diff_id), dir);
}

TEST_F(PortableMarksTest, an_unpacked_layer_is_moved_too) {
  const LayerBlob blob = blob_of(make_archive({archive_dir("", 0711), archive_dir("d"),
                                               archive_file("d/f", "x"), archive_whiteout("d/g")}));
  Lanes lanes(Lanes::Caps{});
  must(on_overlay_->layers->unpack({blob}, lanes));
  const std::string before = describe_layers({tree(*on_overlay_, blob.diff_id)});
  const std::string dir = tree(moved_off(), blob.diff_id);
  EXPECT_FALSE(portable(dir));
  EXPECT_EQ(describe_layers({dir}), before);
}

TEST_F(PortableMarksTest, a_tree_without_marks_is_used_as_it_is) {
  const LayerBlob blob = blob_of(make_archive({archive_file("f", "x")}));
  Lanes lanes(Lanes::Caps{});
  must(on_overlay_->layers->unpack({blob}, lanes));
  EXPECT_TRUE(tree(*on_overlay_, blob.diff_id).ends_with("/fs"));
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
