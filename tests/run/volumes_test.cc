// SPDX-License-Identifier: Apache-2.0
#include "builder/run/volumes.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::run {
namespace {

using testing::ElementsAre;

class VolumesTest : public testing::Test {
 protected:
  VolumesTest() {
    EXPECT_TRUE(make_dirs(path("image/data/sub")));
    EXPECT_TRUE(write_file(path("image/data/sub/file"), "from the image"));
    EXPECT_TRUE(write_file(path("image/a-file"), "x"));
    EXPECT_TRUE(sys::fchmod_at(AT_FDCWD, path("image/data"), 0750));
    EXPECT_TRUE(sys::symlink_at("data", AT_FDCWD, path("image/link")));
    image_ = snapshotter::open_layered_view({path("image")}).value();
    EXPECT_TRUE(store_->ensure({.name = "vol", .path = {}, .labels = {}}));
  }

  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }
  std::string in_volume(const std::string& name) const {
    return join_path(store_->data_path("vol"), name);
  }
  static VolumeUsers used_by(std::vector<std::string> ids) {
    return [ids = std::move(ids)](const std::string&) { return ids; };
  }

  TempDir dir_ = TempDir::create().value();
  FixedClock clock_{Time(std::chrono::seconds(1000))};
  std::unique_ptr<VolumeStore> store_ = make_volume_store(path("volumes"), path("trash"), clock_);
  std::unique_ptr<snapshotter::TreeView> image_;
};

TEST_F(VolumesTest, AVolumeIsMadeOnceAndKeepsWhatIsKnownOfIt) {
  ASSERT_TRUE(
      store_->ensure({.name = "other", .path = {}, .anonymous = true, .labels = {{"k", "v"}}}));
  const VolumeInfo again = store_->ensure({.name = "other", .path = {}, .labels = {}}).value();
  EXPECT_TRUE(again.anonymous);
  EXPECT_EQ(again.labels.at("k"), "v");
  EXPECT_EQ(again.created, clock_.now());
  EXPECT_EQ(store_->list()->size(), 2U);
  EXPECT_FALSE(store_->ensure({.name = "../x", .path = {}, .labels = {}}));
}

TEST_F(VolumesTest, AnEmptyVolumeGetsWhatTheImageHas) {
  EXPECT_TRUE(store_->wants_contents("vol").value());
  ASSERT_TRUE(store_->fill("vol", *image_, "/link/"));
  EXPECT_EQ(read_file(in_volume("sub/file")).value_or(""), "from the image");
  EXPECT_EQ(sys::stat_at(AT_FDCWD, in_volume(""))->st_mode & 07777U, 0750U);
  EXPECT_FALSE(store_->wants_contents("vol").value());
}

TEST_F(VolumesTest, AVolumeWithContentsIsLeftAlone) {
  ASSERT_TRUE(write_file(in_volume("mine"), "mine"));
  ASSERT_TRUE(store_->fill("vol", *image_, "/data"));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, in_volume("sub")));
}

TEST_F(VolumesTest, WhereTheImageHasNothingAVolumeStaysEmpty) {
  ASSERT_TRUE(store_->fill("vol", *image_, "/missing/place"));
  EXPECT_TRUE(store_->wants_contents("vol").value());
  EXPECT_EQ(store_->fill("vol", *image_, "/a-file").error().message(),
            "the image has a file there");
}

TEST_F(VolumesTest, AFillingThatWasCutShortGoesOn) {
  ASSERT_TRUE(make_dirs(path("volumes/vol/draft/late")));
  ASSERT_TRUE(make_dirs(path("volumes/vol/partial/junk")));
  ASSERT_TRUE(write_file(in_volume("early"), "moved before the end came"));
  EXPECT_TRUE(store_->wants_contents("vol").value());
  ASSERT_TRUE(store_->fill("vol", *image_, "/data"));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, in_volume("late")));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, in_volume("early")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("volumes/vol/draft")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("volumes/vol/partial")));
}

TEST_F(VolumesTest, AVolumeGoesOnlyWhenNobodyUsesIt) {
  const Status used = store_->remove("vol", used_by({"abc", "def"}));
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().message(), "volume vol is in use by container abc, def");
  EXPECT_TRUE(store_->remove("vol", used_by({})));
  EXPECT_EQ(store_->remove("vol", used_by({})).error().kind(), ErrorKind::NotFound);
  EXPECT_TRUE(store_->list()->empty());
}

TEST_F(VolumesTest, ADamagedNoteDoesNotHideTheData) {
  ASSERT_TRUE(write_file(path("volumes/vol/volume.json"), "{"));
  EXPECT_EQ(store_->list()->at(0).name, "vol");
  ASSERT_TRUE(store_->ensure({.name = "vol", .path = {}, .labels = {}}));
}

}  // namespace
}  // namespace mybuild::run
