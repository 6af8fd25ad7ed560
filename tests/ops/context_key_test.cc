// SPDX-License-Identifier: Apache-2.0
// What a directory of the client gives for a key, with a stat index between the files and it.
#include "builder/ops/selection.h"
#include "builder/source/local_context.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <atomic>
#include <thread>

namespace mybuild::ops {
namespace {

using snapshotter::ContentMemory;
using snapshotter::Entry;
using snapshotter::FileFacts;
using snapshotter::StatIndex;
using snapshotter::TreeView;

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message();
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(result).value();
  }
}

class ContextKeyTest : public testing::Test {
 protected:
  ContextKeyTest() { must(make_dirs(at("d/sub"))); }

  std::string at(const std::string& path) const { return join_path(dir_.path(), "ctx/" + path); }
  struct stat info(const std::string& path) const {
    return must(sys::lstat_at(AT_FDCWD, at(path)));
  }
  void write(const std::string& path, std::string_view text) const {
    must(write_file(at(path), text));
  }
  /// Waits until what stands there now is old enough to be remembered.
  void settle(const std::string& path) const {
    while (!snapshotter::is_settled(info(path), snapshotter::file_clock())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void set_mtime(const std::string& path, struct timespec time) const {
    must(sys::set_times_at(AT_FDCWD, at(path), time));
  }
  std::unique_ptr<TreeView> view(bool reread = false, const std::vector<std::string>& ignore = {}) {
    return must(source::open_local_context(at(""), ignore, ContentMemory(index_, reread)));
  }
  Digest key(bool reread = false) {
    const auto tree = view(reread);
    std::vector<SelectedSource> sources = must(select(*tree, {"d"}, {}));
    must(hash_contents(*tree, sources));
    return selection_digest(sources, NamedDirectories::NotShown);
  }
  bool is_known(const std::string& path) { return index_.find(info(path)).has_value(); }

  TempDir dir_ = must(TempDir::create());
  StatIndex index_{join_path(dir_.path(), "stat-index")};
};

TEST_F(ContextKeyTest, FilesThatDidNotChangeAreNotReadAgain) {
  write("d/file", "text");
  settle("d/file");
  const Digest before = key();
  if (!is_known("d/file")) {
    GTEST_SKIP() << "the file system of " << dir_.path() << " is none that is trusted";
  }
  EXPECT_EQ(key(), before);
  // Whoever looks into the index instead of the file believes this.
  index_.remember(info("d/file"), {.content = Digest::of("other"), .bare = true});
  EXPECT_NE(key(), before);
  EXPECT_EQ(key(true), before) << "--context-verify=full reads them all";
  EXPECT_EQ(key(), before) << "and refreshes what is known";
}

TEST_F(ContextKeyTest, AChangedFileWithTheSameSizeAndMtimeIsNoticed) {
  write("d/file", "one");
  set_mtime("d/file", {.tv_sec = 1000, .tv_nsec = 7});
  settle("d/file");
  const Digest before = key();
  write("d/file", "two");
  set_mtime("d/file", {.tv_sec = 1000, .tv_nsec = 7});
  EXPECT_NE(key(), before);
}

TEST_F(ContextKeyTest, AFileReplacedByRenameIsNoticed) {
  write("d/file", "one");
  write("new", "two");
  for (const char* name : {"d/file", "new"}) {
    set_mtime(name, {.tv_sec = 1000, .tv_nsec = 7});
  }
  settle("d/file");
  const Digest before = key();
  must(sys::rename_at(AT_FDCWD, at("new"), AT_FDCWD, at("d/file")));
  EXPECT_NE(key(), before);
}

TEST_F(ContextKeyTest, ATouchedFileIsReadAgainAndTheKeyStays) {
  write("d/file", "one");
  settle("d/file");
  const Digest before = key();
  set_mtime("d/file", {.tv_sec = 77, .tv_nsec = 0});
  EXPECT_FALSE(is_known("d/file"));
  EXPECT_EQ(key(), before);
}

TEST_F(ContextKeyTest, AnAttributeIsNoticed) {
  write("d/file", "one");
  settle("d/file");
  const Digest before = key();
  if (::setxattr(at("d/file").c_str(), "user.note", "x", 1, 0) < 0) {
    GTEST_SKIP() << "no user attributes on " << dir_.path();
  }
  const Digest with = key();
  EXPECT_NE(with, before);
  settle("d/file");
  EXPECT_EQ(key(), with);
  EXPECT_EQ(key(), with) << "from the index";
}

TEST_F(ContextKeyTest, WhatMayStillChangeUnseenIsNotRemembered) {
  write("d/future", "one");
  set_mtime("d/future", {.tv_sec = 4'000'000'000, .tv_nsec = 1});
  settle("d");
  (void)key();
  EXPECT_FALSE(is_known("d/future")) << "the clock was set back";
  for (int attempt = 0; attempt < 100; ++attempt) {
    write("d/fresh", std::to_string(attempt));
    (void)key();
    const bool known = is_known("d/fresh");
    if (!snapshotter::is_settled(info("d/fresh"), snapshotter::file_clock())) {
      EXPECT_FALSE(known) << "it could be written to within the same tick";
      return;
    }
  }
}

TEST_F(ContextKeyTest, ADigestThatProvedWrongIsForgotten) {
  write("d/file", "text");
  settle("d/file");
  const Digest right = key();
  index_.remember(info("d/file"), {.content = Digest::of("other"), .bare = true});
  const auto tree = view();
  distrust_contents(*tree, must(select(*tree, {"d"}, {})));
  EXPECT_EQ(key(), right);
}

TEST_F(ContextKeyTest, AFileThatKeepsChangingIsNamedOrTakenInOneState) {
  write("d/file", std::string(60'000, 'a'));
  std::atomic<bool> end = false;
  std::thread writer([&] {
    for (char c = 'a'; !end; c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
      write("d/new", std::string(60'000, c));
      must(sys::rename_at(AT_FDCWD, at("d/new"), AT_FDCWD, at("d/file")));
    }
  });
  const auto tree = view();
  for (int i = 0; i < 50; ++i) {
    Entry entry;
    entry.path = "d/file";
    if (const Status hashed = tree->hash(entry); !hashed) {
      EXPECT_NE(hashed.error().message().find("d/file"), std::string::npos);
      continue;
    }
    bool is_state = false;
    for (char c = 'a'; c <= 'z'; ++c) {
      is_state |= *entry.content == Digest::of(std::string(60'000, c));
    }
    EXPECT_TRUE(is_state);
  }
  end = true;
  writer.join();
}

TEST_F(ContextKeyTest, AFileThatChangesWithEveryLookIsDataLossByName) {
  write("d/log", std::string(8'000'000, 'x'));
  std::atomic<bool> end = false;
  std::thread writer([&] {
    const Fd log = must(sys::open(at("d/log"), O_WRONLY));
    while (!end) {
      must(sys::write_all(log.get(), as_bytes("y")));
    }
  });
  const auto tree = view();
  int failures = 0;
  for (int i = 0; i < 50 && failures == 0; ++i) {
    Entry entry;
    entry.path = "d/log";
    const Status hashed = tree->hash(entry);
    if (!hashed) {
      ++failures;
      EXPECT_EQ(hashed.error().kind(), ErrorKind::DataLoss);
      EXPECT_TRUE(hashed.error().message().starts_with("d/log: changed while it was being read"));
    }
  }
  end = true;
  writer.join();
  EXPECT_GT(failures, 0);
}

TEST_F(ContextKeyTest, NamesOfOneFileOfWhichOneWasReplacedAreTwoFiles) {
  write("d/a", "one");
  must(sys::link_at(AT_FDCWD, at("d/a"), AT_FDCWD, at("d/b")));
  const auto tree = view();
  std::vector<SelectedSource> sources = must(select(*tree, {"d"}, {}));
  must(sys::unlink_at(AT_FDCWD, at("d/b")));
  write("d/b", "two");
  must(hash_contents(*tree, sources));
  const SelectedEntry& first = sources[0].entries[1];
  const SelectedEntry& second = sources[0].entries[2];
  EXPECT_EQ(sources[0].below(first), "a");
  EXPECT_TRUE(first.hard_link);
  EXPECT_EQ(second.entry.content, Digest::of("two"));
  EXPECT_FALSE(second.hard_link);
}

/// One line per entry.
std::string show(const std::vector<snapshotter::ListedEntry>& listed) {
  std::string text;
  for (const snapshotter::ListedEntry& item : listed) {
    text += fmt::format("{} {} {:o} {}:{} {} {} {} {}\n", item.entry.path,
                        static_cast<int>(item.entry.type), item.entry.mode, item.entry.uid,
                        item.entry.gid, item.entry.size, item.entry.link, item.entry.xattrs.size(),
                        item.hard_link.has_value());
  }
  return text;
}

TEST_F(ContextKeyTest, ADirectoryInOneGoIsWhatItIsNameByName) {
  write("d/a", "one");
  must(sys::link_at(AT_FDCWD, at("d/a"), AT_FDCWD, at("d/b")));
  write("d/sub/x", "x");
  write("d/ignored", "");
  must(make_dirs(at("d/hidden")));
  must(make_dirs(at("d/partly")));
  write("d/partly/shown", "");
  must(sys::symlink_at("a", AT_FDCWD, at("d/link")));
  must(sys::mknod_at(AT_FDCWD, at("d/pipe"), S_IFIFO | 0600, 0));
  must(sys::mknod_at(AT_FDCWD, at("d/socket"), S_IFSOCK | 0600, 0));
  (void)::setxattr(at("d/sub").c_str(), "user.note", "x", 1, 0);
  const auto any = [](const std::string&) { return true; };
  const auto not_sub = [](const std::string& name) { return name != "sub"; };
  for (const std::vector<std::string>& ignore :
       {std::vector<std::string>(), std::vector<std::string>{"d/ignored", "d/hidden", "d/partly",
                                                             "!d/partly/shown", "!d/hidden/no"}}) {
    const auto tree = view(false, ignore);
    const std::string all = show(must(tree->read_directory("d", any)));
    EXPECT_EQ(all, show(must(tree->TreeView::read_directory("d", any))));
    EXPECT_EQ(show(must(tree->read_directory("d", not_sub))),
              show(must(tree->TreeView::read_directory("d", not_sub))));
    EXPECT_EQ(all.find("d/ignored") == std::string::npos, !ignore.empty());
    EXPECT_EQ(all.find("d/hidden") == std::string::npos, !ignore.empty());
    EXPECT_NE(all.find("d/partly"), std::string::npos);
    EXPECT_EQ(all.find("d/socket"), std::string::npos);
  }
}

TEST_F(ContextKeyTest, ADirectoryThatBecomesALinkLeadsNowhere) {
  must(make_dirs(at("../outside")));
  must(write_file(at("../outside/secret"), "secret"));
  const auto tree = view();
  must(remove_tree(at("d")));
  must(sys::symlink_at("../outside", AT_FDCWD, at("d")));
  const auto any = [](const std::string&) { return true; };
  EXPECT_FALSE(tree->read_directory("d", any));
}

}  // namespace
}  // namespace mybuild::ops
