// SPDX-License-Identifier: Apache-2.0
// type=local and type=tar: the same tree in two forms.
#include "tests/export/fixture.h"
#include "tests/export/tar_listing.h"

#include <sys/xattr.h>
#include <unistd.h>

namespace mybuild::exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class TreeExport : public ExportTest {
 protected:
  struct stat info(const std::string& name) const {
    return sys::lstat_at(AT_FDCWD, path(name)).value();
  }
  std::string text(const std::string& name) const { return read_file(path(name)).value_or(""); }
};

TEST_F(TreeExport, ADirectoryGetsTheMergedTree) {
  ASSERT_TRUE(run_export(to(OutputType::Local, "new/out")));
  EXPECT_THAT(list("new/out"), ElementsAre("dir", "tool"));
  EXPECT_THAT(list("new/out/dir"), ElementsAre("file", "hard", "soft"));
  EXPECT_EQ(text("new/out/dir/file"), "text\n");
  EXPECT_EQ(sys::readlink_at(AT_FDCWD, path("new/out/dir/soft")).value(), "file");
}

TEST_F(TreeExport, ModesTimesAndHardLinksAreKept) {
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  EXPECT_EQ(info("out/dir").st_mode & 07777U, 0555U);
  EXPECT_EQ(info("out/dir/file").st_mode & 07777U, 0640U);
  EXPECT_EQ(info("out/tool").st_mode & 07777U, 04755U);
  for (const char* name : {"out/dir", "out/dir/file", "out/dir/soft", "out/tool"}) {
    EXPECT_EQ(info(name).st_mtim.tv_sec, kFileTime) << name;
  }
  EXPECT_EQ(info("out/dir/file").st_ino, info("out/dir/hard").st_ino);
  EXPECT_EQ(info("out/dir/file").st_nlink, 2U);
}

TEST_F(TreeExport, AttributesAreKept) {
  TextContents contents;
  snapshotter::ChangeList list;
  list.push_back(entry("noted", EntryType::Directory, 0555));
  list.push_back(entry("noted/file", EntryType::File, 0440));
  contents.texts = {{"noted/file", ""}};
  for (snapshotter::Entry& each : list) {
    each.xattrs.set("user.note", each.path);
  }
  const snapshotter::Layer layer = layers_->commit_changes(list, contents).value();
  BuiltImage& image = output_.images.front();
  image.layers.push_back(layer);
  image.config.diff_ids.push_back(layer.diff_id);
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  for (const snapshotter::Entry& each : list) {
    char value[16] = {};
    const ssize_t size = ::getxattr(path("out/" + each.path).c_str(), "user.note", value, 16);
    EXPECT_EQ(std::string(value, size < 0 ? 0 : static_cast<std::size_t>(size)), each.path);
  }
}

TEST_F(TreeExport, FilesBelongToTheCaller) {
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  EXPECT_EQ(info("out/tool").st_uid, ::geteuid());
}

TEST_F(TreeExport, OtherFilesOfTheDirectoryStay) {
  ASSERT_TRUE(make_dirs(path("out/dir")));
  ASSERT_TRUE(write_file(path("out/mine"), "mine"));
  ASSERT_TRUE(write_file(path("out/dir/mine"), "mine"));
  ASSERT_TRUE(write_file(path("out/tool"), "old"));
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  EXPECT_THAT(list("out"), ElementsAre("dir", "mine", "tool"));
  EXPECT_EQ(text("out/dir/mine"), "mine");
  EXPECT_EQ(text("out/dir/file"), "text\n");
  EXPECT_EQ(text("out/tool").size(), 100000U);
  EXPECT_EQ(info("out/dir").st_mode & 07777U, 0555U);
}

TEST_F(TreeExport, ALinkInTheWayIsReplacedAndNotFollowed) {
  ASSERT_TRUE(make_dirs(path("out")));
  ASSERT_TRUE(make_dirs(path("elsewhere")));
  ASSERT_TRUE(write_file(path("elsewhere/file"), "untouched"));
  ASSERT_TRUE(sys::symlink_at(path("elsewhere"), AT_FDCWD, path("out/dir")));
  ASSERT_TRUE(sys::symlink_at(path("elsewhere/file"), AT_FDCWD, path("out/tool")));
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  EXPECT_TRUE(S_ISDIR(info("out/dir").st_mode));
  EXPECT_TRUE(S_ISREG(info("out/tool").st_mode));
  EXPECT_EQ(text("elsewhere/file"), "untouched");
  EXPECT_THAT(list("elsewhere"), ElementsAre("file"));
}

TEST_F(TreeExport, ADirectoryWithFilesIsNotReplacedByAFile) {
  ASSERT_TRUE(make_dirs(path("out/tool")));
  ASSERT_TRUE(write_file(path("out/tool/mine"), "mine"));
  const auto report = run_export(to(OutputType::Local, "out"));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("tool is a directory with files in it"));
  EXPECT_THAT(list("out"), ElementsAre("tool"));
  EXPECT_EQ(text("out/tool/mine"), "mine");
}

TEST_F(TreeExport, AFailedExportLeavesNoDirectory) {
  output_.images[0].layers[0].diff_id = Digest::of("no such layer");
  EXPECT_FALSE(run_export(to(OutputType::Local, "new/out")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("new")));
  EXPECT_FALSE(run_export(to(OutputType::Tar, "out.tar")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("out.tar")));
}

TEST_F(TreeExport, SeveralPlatformsHaveAFolderEach) {
  output_.images.push_back(make_image({"linux", "arm", "v7", ""}));
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  EXPECT_THAT(list("out"), ElementsAre("linux_amd64", "linux_arm_v7"));
  EXPECT_EQ(info("out/linux_arm_v7/dir/hard").st_nlink, 2U);
  ASSERT_TRUE(run_export(to(OutputType::Tar, "out.tar")));
  const auto members = list_tar(path("out.tar"));
  EXPECT_EQ(members[0].entry.path, "linux_amd64");
  EXPECT_EQ(members[3].entry.link, "linux_amd64/dir/file");
}

TEST_F(TreeExport, TheEpochIsTheTimeOfEveryFile) {
  output_.source_date_epoch = kEpoch;
  ASSERT_TRUE(run_export(to(OutputType::Local, "out")));
  EXPECT_EQ(info("out/tool").st_mtim.tv_sec, kEpoch);
  EXPECT_EQ(info("out/dir").st_mtim.tv_sec, kEpoch);
  ASSERT_TRUE(run_export(to(OutputType::Tar, "out.tar")));
  for (const TarMember& member : list_tar(path("out.tar"))) {
    EXPECT_EQ(member.entry.mtime.tv_sec, kEpoch);
  }
}

TEST_F(TreeExport, ATarHasTheTreeInOrder) {
  ASSERT_TRUE(run_export(to(OutputType::Tar, "out.tar")));
  std::vector<std::string> names;
  for (const TarMember& member : list_tar(path("out.tar"))) {
    names.push_back(member.entry.path);
  }
  EXPECT_THAT(names, ElementsAre("dir", "dir/file", "dir/hard", "dir/soft", "tool"));
  EXPECT_EQ(list_tar(path("out.tar"))[4].text, std::string(100000, 'x'));
}

TEST_F(TreeExport, BaseTreesAreFetchedFirst) {
  deps_->fetch.trees = [] { return Status(Error(ErrorKind::Unavailable, "registry is down")); };
  for (const auto type : {OutputType::Local, OutputType::Tar, OutputType::Image}) {
    const auto report = run_export(to(type, "out"));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message(), "registry is down");
  }
}

TEST_F(TreeExport, ADirectoryIsNotStandardOutput) {
  EXPECT_FALSE(run_export(to(OutputType::Local, "-")));
  OutputSpec nowhere;
  nowhere.type = OutputType::Local;
  EXPECT_FALSE(run_export(nowhere));
}

}  // namespace
}  // namespace mybuild::exporter
