// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/manifest.h"

#include <gtest/gtest.h>

namespace mybuild::explain {
namespace {

using snapshotter::EntryType;

ops::SelectedEntry file(std::string path, const std::string& content, mode_t mode = 0644) {
  ops::SelectedEntry out;
  out.entry.path = std::move(path);
  out.entry.mode = mode;
  out.entry.size = content.size();
  out.entry.content = Digest::of(content);
  return out;
}

Manifest manifest(std::vector<ops::SelectedEntry> entries) {
  ops::SelectedSource source;
  source.append(std::move(entries));
  return decode_manifest(encode_manifest({source})).value();
}

TEST(Manifest, ComesBackAsItWas) {
  ops::SelectedEntry link = file("dir/link", "");
  link.entry.type = EntryType::Symlink;
  link.entry.content.reset();
  link.entry.link = "elsewhere";
  link.entry.uid = 70000;
  const Manifest read = manifest({file("dir/a", "x", 0755), link, file("dir/zz/long", "yy")});
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read.at("dir/a").mode, 0755U);
  EXPECT_EQ(read.at("dir/link").link, "elsewhere");
  EXPECT_EQ(read.at("dir/link").uid, 70000U);
  EXPECT_EQ(read.at("dir/zz/long").size, 2U);
}

TEST(Manifest, DamagedBytesAreAnError) {
  ops::SelectedSource source;
  source.append({file("a", "x"), file("ab", "y")});
  const std::string bytes = encode_manifest({source});
  EXPECT_TRUE(decode_manifest(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = decode_manifest(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(!read || read->size() < 2) << size;
  }
  EXPECT_FALSE(decode_manifest("something else"));
}

TEST(FileChanges, NameEachKind) {
  ops::SelectedEntry owner = file("owner", "x");
  owner.entry.uid = 5;
  ops::SelectedEntry type = file("type", "x");
  type.entry.type = EntryType::Fifo;
  ops::SelectedEntry xattr = file("xattr", "x");
  xattr.entry.xattrs.set("user.a", "1");
  const Manifest then =
      manifest({file("content", "x"), file("gone", "x"), file("mode", "x"), file("owner", "x"),
                file("same", "x"), file("type", "x"), file("xattr", "x")});
  const Manifest now = manifest({file("content", "y"), file("mode", "x", 0755), file("new", "x"),
                                 owner, file("same", "x"), type, xattr});
  const std::vector<FileChange> want = {
      {"content", FileChangeKind::Content, "", ""},
      {"mode", FileChangeKind::Mode, "0644", "0755"},
      {"owner", FileChangeKind::Owner, "0:0", "5:0"},
      {"type", FileChangeKind::Type, "a file", "a pipe"},
      {"xattr", FileChangeKind::Other, "", ""},
      {"new", FileChangeKind::Added, "", ""},
      {"gone", FileChangeKind::Removed, "", ""},
  };
  EXPECT_EQ(file_changes(then, now), want);
}

TEST(FileChanges, ADirectoryStandsForWhatIsInIt) {
  ops::SelectedEntry directory = file("d", "");
  directory.entry.type = EntryType::Directory;
  const auto changes = file_changes({}, manifest({directory, file("d/a", "x"), file("d/b", "x")}));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, "d");
}

}  // namespace
}  // namespace mybuild::explain
