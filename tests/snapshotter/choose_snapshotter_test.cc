// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/file.h"
#include "snapshotter/snapshotter.h"
#include "snapshotter/whiteout.h"
#include "tests/snapshotter/overlay_mount.h"

#include <gtest/gtest.h>

namespace mybuild::snapshotter {
namespace {

class ChooseSnapshotterTest : public ::testing::Test {
 protected:
  OverlayProbe answering(const std::string& reason) {
    return [this, reason](const std::string&) -> Result<std::string> {
      ++asked_;
      return reason;
    };
  }
  TempDir dir_ = TempDir::create().value();
  int asked_ = 0;
};

TEST_F(ChooseSnapshotterTest, overlay_where_it_works) {
  if (!holds_overlay_marks(dir_.path()).value()) {
    GTEST_SKIP() << "overlayfs' marks cannot be made here, needs CAP_SYS_ADMIN (trusted.*)";
  }
  EXPECT_EQ(choose_snapshotter(dir_.path(), answering("")).value()->name(), "overlay");
}

TEST_F(ChooseSnapshotterTest, else_the_copying_driver) {
  EXPECT_EQ(choose_snapshotter(dir_.path(), answering("mount: invalid argument")).value()->name(),
            "native");
}

TEST_F(ChooseSnapshotterTest, not_where_its_marks_cannot_be_made) {
  const testing::OverlayPlace place;
  if (!place.problem().empty()) {
    GTEST_SKIP() << "no overlayfs to work on: " << place.problem();
  }
  EXPECT_EQ(choose_snapshotter(place.path(), answering("")).value()->name(), "native");
}

TEST_F(ChooseSnapshotterTest, the_probe_is_asked_once) {
  ASSERT_TRUE(choose_snapshotter(dir_.path(), answering("no")));
  EXPECT_EQ(choose_snapshotter(dir_.path(), answering("")).value()->name(), "native");
  EXPECT_EQ(asked_, 1);
}

TEST_F(ChooseSnapshotterTest, an_answer_from_other_circumstances_does_not_count) {
  ASSERT_TRUE(write_file(dir_.path() + "/snapshotter", "another boot\noverlay works"));
  EXPECT_EQ(choose_snapshotter(dir_.path(), answering("no")).value()->name(), "native");
  EXPECT_EQ(asked_, 1);
}

TEST_F(ChooseSnapshotterTest, a_missing_right_is_named_with_what_grants_it) {
  const auto chosen = choose_snapshotter(
      dir_.path(),
      [](const std::string&) -> Result<std::string> { return os_error(EPERM, "unshare"); });
  ASSERT_FALSE(chosen);
  EXPECT_NE(chosen.error().message().find("CAP_SYS_ADMIN"), std::string::npos);
  EXPECT_NE(chosen.error().hint().find("--cap-add SYS_ADMIN"), std::string::npos);
}

}  // namespace
}  // namespace mybuild::snapshotter
