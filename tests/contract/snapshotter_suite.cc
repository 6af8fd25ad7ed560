// SPDX-License-Identifier: Apache-2.0
// What every Snapshotter promises, run for each driver: a step sees the merged tree, and the layer
// that finish() gives, put on top of the layers below, is the tree that the step left.
#include "snapshotter/base/sys.h"
#include "snapshotter/native/native.h"
#include "snapshotter/overlay/overlay.h"
#include "snapshotter/tree_scan.h"
#include "snapshotter/tree_seal.h"
#include "tests/snapshotter/overlay_mount.h"
#include "tests/snapshotter/tree_support.h"

#include <fcntl.h>

namespace mybuild::snapshotter::testing {
namespace {

/// A driver, and where: `on_overlay`, the layers are on an overlayfs, which cannot hold its own
/// marks.
struct Case {
  const char* name;
  std::unique_ptr<Snapshotter> (*make)();
  bool on_overlay = false;
};

class SnapshotterSuite : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    driver_ = GetParam().make();
    if (GetParam().on_overlay) {
      place_.emplace();
      if (!place_->problem().empty()) {
        GTEST_SKIP() << "no overlayfs to work on: " << place_->problem();
      }
      dir_ = must(TempDir::create(place_->path()));
    }
    if (driver_->name() == "overlay") {
      const std::string problem = overlay_problem();
      if (!problem.empty()) {
        GTEST_SKIP() << "overlayfs cannot be mounted here: " << problem;
      }
    }
  }

  /// A new lowest-but-not-least layer to fill.
  std::string new_layer() {
    layers_.push_back(fmt::format("{}/layer{}", dir_.path(), layers_.size()));
    must(make_dirs(layers_.back()));
    return layers_.back();
  }

  /// Runs `step` and puts the layer it gave on top; the merged tree must be what the step left.
  std::string run(const std::function<void(const std::string& root)>& step) {
    const std::string scratch = fmt::format("{}/scratch{}", dir_.path(), layers_.size());
    must(make_dirs(scratch));
    auto active = must(driver_->prepare(layers_, scratch));
    const std::string seen = dir_.path() + "/seen";
    const std::string problem = run_in_root(active->root(), [&](const std::string& root) {
      step(root);
      normalise(root);
      must(write_file(seen, describe_directory(root)));
    });
    EXPECT_EQ(problem, "");
    const std::string layer = must(driver_->finish(std::move(active)));
    layers_.push_back(layer);
    EXPECT_EQ(describe_layers(layers_), must(read_file(seen)));
    return layer;
  }

  /// Objects that a step made have the current time; whole seconds keep the descriptions
  /// comparable.
  static void normalise(const std::string& root) {
    const Fd fd = must(sys::open(root, O_RDONLY | O_DIRECTORY));
    std::vector<std::string> fresh;
    for (const Entry& entry : must(scan_layer_tree(fd.get())).changes) {
      const struct stat info = must(sys::lstat_at(fd.get(), entry.path));
      if (info.st_mtim.tv_nsec != 0) {
        must(
            sys::set_times_at(fd.get(), entry.path, {.tv_sec = info.st_mtim.tv_sec, .tv_nsec = 0}));
      }
    }
  }

  static void dir_times(const std::string& root) {
    TreeMaker(root).time("d", 1000).time("e", 1000);
  }

  static std::vector<std::string> paths(const std::string& layer) {
    const Fd fd = must(sys::open(layer, O_RDONLY | O_DIRECTORY));
    std::vector<std::string> all;
    for (const Entry& entry : must(scan_layer_tree(fd.get())).changes) {
      const bool whiteout = entry.type == EntryType::Whiteout;
      all.push_back((whiteout ? "-" : "") + entry.path + (entry.opaque ? "!" : ""));
    }
    return all;
  }

  std::optional<OverlayPlace> place_;  // outlives what is in it
  TempDir dir_ = must(TempDir::create());
  std::unique_ptr<Snapshotter> driver_;
  std::vector<std::string> layers_;
};

using Paths = std::vector<std::string>;

TEST_P(SnapshotterSuite, a_step_on_nothing_gives_what_it_made) {
  const std::string layer = run([](const std::string& root) { TreeMaker(root).file("a/b", "x"); });
  EXPECT_EQ(paths(layer), (Paths{"a", "a/b"}));
}

TEST_P(SnapshotterSuite, a_step_that_changes_nothing_gives_an_empty_layer) {
  TreeMaker(new_layer()).file("a/b", "x").link("l", "a").fifo("p");
  EXPECT_EQ(paths(run([](const std::string&) {})), Paths{});
}

TEST_P(SnapshotterSuite, what_was_only_opened_for_writing_or_touched_back_is_no_change) {
  TreeMaker(new_layer()).file("a/b", "x").dir("c");
  const std::string layer = run([](const std::string& root) {
    { const Fd fd = must(sys::open(root + "/a/b", O_RDWR)); }
    must(sys::fchmod_at(AT_FDCWD, root + "/c", 0700));
    must(sys::fchmod_at(AT_FDCWD, root + "/c", 0755));
    TreeMaker(root).file("a/temp", "x");
    must(remove_tree(root + "/a/temp"));
    TreeMaker(root).time("a", 1000);
  });
  EXPECT_EQ(paths(layer), Paths{});
}

TEST_P(SnapshotterSuite, deletions_become_whiteouts) {
  TreeMaker(new_layer()).file("a/b", "x").file("a/c", "x").file("d/e/f", "x");
  const std::string layer = run([](const std::string& root) {
    must(remove_tree(root + "/a/b"));
    must(remove_tree(root + "/d"));
    TreeMaker(root).time("a", 1000);
  });
  EXPECT_EQ(paths(layer), (Paths{"a", "-a/b", "-d"}));
}

TEST_P(SnapshotterSuite, what_came_and_went_in_one_step_leaves_nothing) {
  TreeMaker(new_layer()).dir("a");
  const std::string layer = run([](const std::string& root) {
    TreeMaker(root).file("a/x/y", "x").file("b", "x");
    must(remove_tree(root + "/a/x"));
    must(remove_tree(root + "/b"));
    TreeMaker(root).time("a", 1000);
  });
  EXPECT_EQ(paths(layer), Paths{});
}

TEST_P(SnapshotterSuite, a_replaced_directory_hides_the_old_one) {
  TreeMaker(new_layer()).file("d/old", "x").file("d/both", "x");
  run([](const std::string& root) {
    must(remove_tree(root + "/d"));
    TreeMaker(root).file("d/new", "y").file("d/both", "y");
  });
  EXPECT_EQ(must(must(open_layered_view(layers_))->list("d")), (Paths{"both", "new"}));
}

TEST_P(SnapshotterSuite, an_opaque_directory_below_stays_opaque) {
  TreeMaker(new_layer()).file("d/old", "x").file("e/old", "x");
  TreeMaker(new_layer()).file("d/mid", "x").opaque("d").whiteout("e");
  run([](const std::string& root) { TreeMaker(root).file("d/new", "y").file("e/new", "y"); });
  const auto view = must(open_layered_view(layers_));
  EXPECT_EQ(must(view->list("d")), (Paths{"mid", "new"}));
  EXPECT_EQ(must(view->list("e")), (Paths{"new"}));
}

TEST_P(SnapshotterSuite, names_of_any_length_can_be_deleted) {
  const std::string name(255, 'n');
  TreeMaker(new_layer()).file(name, "x");
  const std::string layer =
      run([&](const std::string& root) { must(remove_tree(root + "/" + name)); });
  EXPECT_EQ(paths(layer), (Paths{"-" + name}));
}

TEST_P(SnapshotterSuite, a_step_cannot_write_marks) {
  TreeMaker(new_layer()).file("d/f", "x").file("d/g", "x").file("e/f", "x");
  run([](const std::string& root) {
    must(sys::unlink_at(AT_FDCWD, root + "/d/g"));
    for (const char* path : {"/d/.wh..wh..opq", "/e/.wh..wh..opq", "/d/h", "/new"}) {
      must(sys::mknod_at(AT_FDCWD, root + path, S_IFSOCK, 0));
    }
    const Fd dir = must(sys::open(root + "/e", O_RDONLY | O_DIRECTORY));
    must(sys::set_xattr(dir.get(), "user.overlay.opaque", "y"));
    dir_times(root);
  });
  const auto view = must(open_layered_view(layers_));
  EXPECT_EQ(must(view->list("")), (Paths{"d", "e"}));
  EXPECT_EQ(must(view->list("d")), (Paths{"f"}));
  EXPECT_EQ(must(view->list("e")), (Paths{"f"}));
  EXPECT_EQ(paths(layers_.back()), (Paths{"d", "-d/g"}));
}

TEST_P(SnapshotterSuite, objects_change_their_type) {
  TreeMaker(new_layer()).file("d/x", "x").file("f", "x").link("l", "f").fifo("p");
  run([](const std::string& root) {
    for (const char* name : {"d", "f", "l", "p"}) {
      must(remove_tree(root + "/" + name));
    }
    TreeMaker(root).file("d", "file").file("f/inside", "x").dir("l").link("p", "d");
  });
}

TEST_P(SnapshotterSuite, directories_can_be_renamed) {
  TreeMaker(new_layer()).file("old/sub/x", "x").file("old/y", "y");
  run([](const std::string& root) {
    // As mv(1) does where rename(2) of a lower directory is refused (EXDEV).
    if (!sys::rename_at(AT_FDCWD, root + "/old", AT_FDCWD, root + "/new")) {
      TreeMaker(root).file("new/sub/x", "x").file("new/y", "y");
      must(remove_tree(root + "/old"));
    }
    must(sys::rename_at(AT_FDCWD, root + "/new/y", AT_FDCWD, root + "/z"));
  });
  const auto view = must(open_layered_view(layers_));
  EXPECT_EQ(must(view->list("")), (Paths{"new", "z"}));
  EXPECT_EQ(must(view->read_small("new/sub/x", 9)), "x");
}

TEST_P(SnapshotterSuite, metadata_alone_is_a_change) {
  TreeMaker(new_layer())
      .file("mode", "x")
      .file("owner", "x")
      .file("time", "x")
      .file("attr", "x")
      .dir("dir");
  const std::string layer = run([](const std::string& root) {
    must(sys::fchmod_at(AT_FDCWD, root + "/mode", 04711));
    must(sys::fchown_at(AT_FDCWD, root + "/owner", 5, 6));
    must(sys::set_times_at(AT_FDCWD, root + "/time", {.tv_sec = 77, .tv_nsec = 0}));
    const Fd attr = must(sys::open(root + "/attr", O_RDONLY));
    must(sys::set_xattr(attr.get(), "user.k", "v"));
    must(sys::fchmod_at(AT_FDCWD, root + "/dir", 01777));
  });
  EXPECT_EQ(paths(layer), (Paths{"attr", "dir", "mode", "owner", "time"}));
}

TEST_P(SnapshotterSuite, bytes_that_changed_behind_an_equal_time_and_size_are_seen) {
  TreeMaker(new_layer()).file("f", "before");
  const std::string layer =
      run([](const std::string& root) { TreeMaker(root).file("f", "after!").time("f", 1000); });
  EXPECT_EQ(paths(layer), Paths{"f"});
}

TEST_P(SnapshotterSuite, hard_links_survive) {
  TreeMaker(new_layer()).file("a", "x").hard_link("b", "a").file("lone", "x");
  run([](const std::string& root) {
    TreeMaker(root).file("n/x", "y").hard_link("n/z", "n/x").hard_link("n/new", "lone");
  });
  const auto view = must(open_layered_view(layers_));
  EXPECT_EQ(must(view->hard_link_id("a")), must(view->hard_link_id("b")));
  EXPECT_EQ(must(view->hard_link_id("n/x")), must(view->hard_link_id("n/z")));
  EXPECT_TRUE(must(view->hard_link_id("lone")));
  EXPECT_EQ(must(view->hard_link_id("lone")), must(view->hard_link_id("n/new")));
}

TEST_P(SnapshotterSuite, devices_and_pipes_are_kept) {
  TreeMaker(new_layer()).device("null", 1, 3);
  run([](const std::string& root) { TreeMaker(root).device("zero", 1, 5).fifo("p"); });
  const auto view = must(open_layered_view(layers_));
  EXPECT_EQ(must(view->lookup("zero"))->device_minor, 5U);
  EXPECT_EQ(must(view->lookup("p"))->type, EntryType::Fifo);
}

TEST_P(SnapshotterSuite, a_layer_says_nothing_of_the_drivers_own) {
  TreeMaker(new_layer()).file("a/b", "x").file("a/c", "x");
  const std::string layer = run([](const std::string& root) {
    TreeMaker(root).file("a/b", "y").dir("new/sub").file("a/d", "x");
    must(remove_tree(root + "/a/c"));
  });
  EXPECT_EQ(paths(layer), (Paths{"a", "a/b", "-a/c", "a/d", "new", "new/sub"}));
  for (const char* path : {"", "a", "a/b", "new", "new/sub"}) {
    const Fd fd = must(sys::open(layer + "/" + path, O_RDONLY));
    EXPECT_EQ(must(sys::list_xattrs(fd.get())), Paths{}) << path;
  }
}

TEST_P(SnapshotterSuite, a_root_has_the_metadata_of_its_top_layer) {
  must(sys::fchmod_at(AT_FDCWD, new_layer(), 0711));
  const std::string layer = run([](const std::string& root) {
    EXPECT_EQ(must(sys::stat_at(AT_FDCWD, root)).st_mode & 07777U, 0711U);
    TreeMaker(root).file("f", "x");
  });
  EXPECT_EQ(must(sys::stat_at(AT_FDCWD, layer)).st_mode & 07777U, 0711U);
}

TEST_P(SnapshotterSuite, a_hundred_and_twenty_eight_layers_stack) {
  for (int i = 0; i < 127; ++i) {
    TreeMaker maker(new_layer());
    maker.file(fmt::format("d/f{}", i), "x").file("d/last", std::to_string(i));
    if (i > 0) {
      maker.whiteout(fmt::format("d/f{}", i - 1));
    }
  }
  const std::string layer = run([](const std::string& root) {
    must(remove_tree(root + "/d/f126"));
    TreeMaker(root).file("d/own", "x").time("d", 1000);
  });
  EXPECT_EQ(paths(layer), (Paths{"d", "-d/f126", "d/own"}));
  EXPECT_EQ(must(must(open_layered_view(layers_))->list("d")), (Paths{"last", "own"}));
}

TEST_P(SnapshotterSuite, what_is_left_of_a_step_has_no_part_in_its_layer) {
  TreeMaker(new_layer()).file("a", "x").file("b", "y");
  const std::string layer = run([](const std::string& root) {
    must(remove_tree(root + "/a"));
    must(remove_tree(root + "/b"));
  });
  const Digest seal = must(seal_of_tree(layer)).digest;
  const std::string scratch = layer.substr(0, layer.rfind('/'));
  const Fd fd = must(sys::open(scratch, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : must(sys::list_dir(fd.get()))) {
    if (name != base_name(layer)) {
      must(remove_tree(fd.get(), name));
    }
  }
  EXPECT_EQ(must(seal_of_tree(layer)).digest, seal);
}

TEST_P(SnapshotterSuite, an_abandoned_step_leaves_nothing) {
  TreeMaker(new_layer()).file("a", "x");
  const std::string scratch = dir_.path() + "/scratch";
  must(make_dirs(scratch));
  { const auto active = must(driver_->prepare(layers_, scratch)); }
  const Fd fd = must(sys::open(scratch, O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(must(sys::list_dir(fd.get())), Paths{});
}

TEST_P(SnapshotterSuite, a_root_that_stays_is_found_again_as_it_was_left) {
  TreeMaker(new_layer()).file("a", "lower").file("gone", "x");
  const std::string scratch = dir_.path() + "/scratch";
  must(make_dirs(scratch));
  RootMount root = must(driver_->create_root(layers_, scratch));
  root.durable = true;
  EXPECT_EQ(run_in_root(root,
                        [](const std::string& dir) {
                          must(write_file(dir + "/a", "changed"));
                          must(sys::unlink_at(AT_FDCWD, dir + "/gone"));
                        }),
            "");
  RootMount again = must(driver_->reopen_root(layers_, scratch));
  again.durable = true;
  EXPECT_EQ(run_in_root(again,
                        [](const std::string& dir) {
                          EXPECT_EQ(must(read_file(dir + "/a")), "changed");
                          EXPECT_FALSE(sys::exists_at(AT_FDCWD, dir + "/gone"));
                        }),
            "");
  EXPECT_EQ(must(read_file(layers_[0] + "/a")), "lower");
  must(remove_tree(scratch));
  must(make_dirs(scratch));
  EXPECT_EQ(driver_->reopen_root(layers_, scratch).error().kind(), ErrorKind::NotFound);
}

TEST_P(SnapshotterSuite, applying_the_difference_is_the_identity_for_random_steps) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    layers_.clear();
    must(remove_tree(dir_.path() + "/layer0"));
    std::mt19937 random(seed);
    make_random_tree(new_layer(), random, 40);
    for (int step = 0; step < 3; ++step) {
      must(remove_tree(fmt::format("{}/scratch{}", dir_.path(), layers_.size())));
      run([&random](const std::string& root) { change_randomly(root, random, 15); });
      ASSERT_FALSE(HasFailure()) << "seed " << seed << " step " << step;
      random.discard(100);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, SnapshotterSuite,
                         ::testing::Values(Case{"overlay", &make_overlay_snapshotter},
                                           Case{"native", &make_native_snapshotter},
                                           Case{"native_on_overlay", &make_native_snapshotter,
                                                true}),
                         [](const auto& driver) { return std::string(driver.param.name); });

}  // namespace
}  // namespace mybuild::snapshotter::testing
