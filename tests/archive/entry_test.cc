// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/entry.h"

#include "tests/archive/fake_contents.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mybuild::snapshotter {
namespace {

TEST(PathLess, PutsADirectoryBeforeItsContentsAndThoseBeforeItsNextSibling) {
  std::vector<std::string> paths = {"a.b", "a/z", "a", "ab", "", "a/b/c", "a/b", "a-b"};
  std::sort(paths.begin(), paths.end(), path_less);
  EXPECT_EQ(paths, (std::vector<std::string>{"", "a", "a/b", "a/b/c", "a/z", "a-b", "a.b", "ab"}));
}

TEST(PathLess, ComparesBytesAsUnsigned) {
  EXPECT_TRUE(path_less("z", "\xc3\xa4"));
  EXPECT_FALSE(path_less("\xc3\xa4", "z"));
  EXPECT_FALSE(path_less("a", "a"));
}

Entry file_with_content() {
  Entry entry = make_entry("usr/bin/tool", EntryType::File, 0755);
  entry.size = 3;
  entry.content = Digest::of("abc");
  return entry;
}

TEST(ChangeDigest, IsPinnedForever) {
  EXPECT_EQ(change_digest({}).str(),
            "sha256:" + Digest::of(std::string_view(
                                       "\x12\0\0\0\0\0\0\0mybuild.changes.v1\0\0\0\0\0\0\0\0", 34))
                            .hex());
}

TEST(ChangeDigest, LeavesTimesOut) {
  Entry later = file_with_content();
  later.mtime.tv_sec = 12345;
  EXPECT_EQ(change_digest({file_with_content()}), change_digest({later}));
}

TEST(ChangeDigest, SeesEveryOtherField) {
  const Digest base = change_digest({file_with_content()});
  const std::vector<std::function<void(Entry&)>> edits = {
      [](Entry& e) { e.path = "usr/bin/tools"; },
      [](Entry& e) { e.type = EntryType::Fifo; },
      [](Entry& e) { e.opaque = true; },
      [](Entry& e) { e.mode = 0700; },
      [](Entry& e) { e.uid = 1; },
      [](Entry& e) { e.gid = 1; },
      [](Entry& e) { e.size = 4; },
      [](Entry& e) { e.link = "x"; },
      [](Entry& e) { e.device_major = 1; },
      [](Entry& e) { e.device_minor = 1; },
      [](Entry& e) { e.xattrs.set("user.a", "1"); },
      [](Entry& e) { e.content = Digest::of("abd"); },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    Entry changed = file_with_content();
    edits[i](changed);
    EXPECT_NE(change_digest({changed}), base) << "edit " << i;
  }
}

TEST(Xattrs, ACopyIsOnItsOwnAndNoneAreAsGoodAsNoMap) {
  Entry one = file_with_content();
  one.xattrs.set("user.a", "1");
  Entry two = one;
  EXPECT_EQ(two.xattrs, one.xattrs);
  two.xattrs.set("user.a", "2");
  EXPECT_EQ(one.xattrs.map().at("user.a"), "1");
  one.xattrs.clear();
  EXPECT_TRUE(one.xattrs.empty());
  EXPECT_EQ(one.xattrs, Entry().xattrs);
  EXPECT_EQ(one.xattrs.begin(), one.xattrs.end());
}

TEST(ChangeDigest, FramesFieldsSoThatBytesCannotWander) {
  Entry one = file_with_content();
  one.xattrs.set("user.ab", "c");
  Entry two = file_with_content();
  two.xattrs.set("user.a", "bc");
  EXPECT_NE(change_digest({one}), change_digest({two}));
}

TEST(ChangeDigest, IgnoresWhatAWhiteoutCannotCarry) {
  Entry marked = make_whiteout("etc/motd");
  marked.mode = 0600;
  marked.uid = 5;
  EXPECT_EQ(change_digest({make_whiteout("etc/motd")}), change_digest({marked}));
}

TEST(CarriedXattr, IsCapabilitiesAndUserAttributes) {
  EXPECT_TRUE(carried_xattr("security.capability"));
  EXPECT_TRUE(carried_xattr("user.comment"));
  EXPECT_FALSE(carried_xattr("user.overlay.opaque"));
  EXPECT_FALSE(carried_xattr("trusted.overlay.opaque"));
  EXPECT_FALSE(carried_xattr("security.selinux"));
  EXPECT_FALSE(carried_xattr("system.posix_acl_access"));
  EXPECT_FALSE(carried_xattr("user.a=b")) << "a PAX key cannot hold '='";
}

}  // namespace
}  // namespace mybuild::snapshotter
