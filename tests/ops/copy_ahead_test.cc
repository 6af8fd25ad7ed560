// SPDX-License-Identifier: Apache-2.0
// A copy that reads files for their key as well.
#include "builder/ops/copy_ahead.h"

#include "builder/ops/copy_plan.h"
#include "builder/source/local_context.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/layer_builder.h"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <functional>
#include <thread>

namespace mybuild::ops {
namespace {

using snapshotter::ContentMemory;
using snapshotter::Entry;
using snapshotter::EntryContents;
using snapshotter::StatIndex;

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

class NoSink final : public Sink {
 public:
  Status write(ByteSpan) override { return {}; }
};

/// Something happens to the files between two calls.
class Disturbed final : public EntryContents {
 public:
  Disturbed(const EntryContents& files, std::function<void()> after_open)
      : files_(files), after_open_(std::move(after_open)) {}
  Result<Fd> open(const Entry& entry) const override {
    Result<Fd> fd = files_.open(entry);
    after_open_();
    return fd;
  }
  Status was_read(const Entry& entry, int fd, const Digest& content) const override {
    return files_.was_read(entry, fd, content);
  }

 private:
  const EntryContents& files_;
  const std::function<void()> after_open_;
};

class CopyAheadTest : public testing::Test {
 protected:
  CopyAheadTest() {
    must(make_dirs(at("d/sub")));
    must(make_dirs(at("other")));
    write("d/one", "first");
    write("d/sub/two", "second");
  }

  std::string at(const std::string& path) const { return join_path(dir_.path(), "ctx/" + path); }
  void write(const std::string& path, std::string_view text) const {
    must(write_file(at(path), text));
  }
  struct stat info(const std::string& path) const {
    return must(sys::lstat_at(AT_FDCWD, at(path)));
  }
  void settle(const std::string& path) const {
    while (!snapshotter::is_settled(info(path), snapshotter::file_clock())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::unique_ptr<snapshotter::TreeView> view() {
    return must(source::open_local_context(at(""), {}, ContentMemory(index_)));
  }

  /// `COPY d /into/` of what is selected, as FileOp does it ahead of the key.
  Status copy(
      const snapshotter::TreeView& tree, std::vector<SelectedSource>& sources,
      std::function<void()> after_open = [] {}) {
    const auto empty = must(snapshotter::open_layered_view({}));
    StagedTree staged(*empty);
    CopiedContents copied{ContentMemory(index_)};
    const auto files = copied.files(tree);
    for (const SelectedSource& source : sources) {
      TRY(plan_copy(staged, *files, source,
                    {.dest = "/into/", .owner = {}, .mode = {}, .invented_mtime = {}}));
    }
    const auto noted = copied.through(staged);
    const TempDir out = TRY(TempDir::create());
    NoSink nowhere;
    TRY(snapshotter::realise_changes(staged.changes(), Disturbed(*noted, std::move(after_open)),
                                     out.path(), nowhere));
    copied.fill_in(sources);
    return {};
  }

  TempDir dir_ = must(TempDir::create());
  StatIndex index_{join_path(dir_.path(), "stat-index")};
};

TEST_F(CopyAheadTest, WhatWasCopiedMakesTheKeyThatReadingMakes) {
  settle("d/sub/two");
  const auto tree = view();
  std::vector<SelectedSource> sources = must(select(*tree, {"d"}, {}));
  std::vector<SelectedSource> read = must(select(*tree, {"d"}, {}));
  must(hash_contents(*view(), read));
  ASSERT_TRUE(copy(*tree, sources));
  EXPECT_EQ(count_bytes(sources).unread, 0U);
  EXPECT_EQ(selection_digest(sources, NamedDirectories::NotShown),
            selection_digest(read, NamedDirectories::NotShown));
}

TEST_F(CopyAheadTest, TheNextBuildReadsNothing) {
  settle("d/sub/two");
  const auto tree = view();
  std::vector<SelectedSource> sources = must(select(*tree, {"d"}, {}));
  EXPECT_EQ(count_bytes(sources).unread, 11U);
  ASSERT_TRUE(copy(*tree, sources));
  if (!index_.find(info("d/one"))) {
    GTEST_SKIP() << "the file system of " << dir_.path() << " is none that is trusted";
  }
  const std::vector<SelectedSource> next = must(select(*view(), {"d"}, {}));
  EXPECT_EQ(count_bytes(next).unread, 0U);
  EXPECT_EQ(count_bytes(next).all, 11U);
}

TEST_F(CopyAheadTest, AFileThatIsNotWhatWasSelectedEndsIt) {
  const std::vector<std::function<void()>> changes = {
      [&] { write("d/one", "FIRST"); },
      [&] { must(sys::fchmod_at(AT_FDCWD, at("d/one"), 0600)); },
      [&] { must(sys::set_times_at(AT_FDCWD, at("d/one"), {.tv_sec = 77, .tv_nsec = 0})); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto tree = view();
    std::vector<SelectedSource> sources = must(select(*tree, {"d"}, {}));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // another mtime
    changes[i]();
    const Status copied = copy(*tree, sources);
    ASSERT_FALSE(copied) << i;
    EXPECT_EQ(copied.error().kind(), ErrorKind::DataLoss) << i;
    EXPECT_EQ(count_bytes(sources).unread, 11U) << "no digest of it is believed";
  }
}

TEST_F(CopyAheadTest, AFileThatChangesWhileItIsReadEndsIt) {
  const auto tree = view();
  std::vector<SelectedSource> sources = must(select(*tree, {"d"}, {}));
  const Status copied = copy(*tree, sources, [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    write("d/one", "FIRST");
    must(sys::set_times_at(AT_FDCWD, at("d/one"), {.tv_sec = 77, .tv_nsec = 0}));
  });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind(), ErrorKind::DataLoss);
}

TEST_F(CopyAheadTest, AFileThatAnotherOneReplacesInThePlanIsLeftToTheKey) {
  write("other/one", "winner");
  const auto tree = view();
  std::vector<SelectedSource> sources = must(select(*tree, {"d/one", "other/one"}, {}));
  ASSERT_TRUE(copy(*tree, sources));
  EXPECT_FALSE(sources[0].entries[0].get().entry.content);
  EXPECT_EQ(sources[1].entries[0].get().entry.content, Digest::of("winner"));
}

TEST_F(CopyAheadTest, NamesOfOneFileAreSeen) {
  ASSERT_EQ(::link(at("d/one").c_str(), at("d/again").c_str()), 0);
  const auto tree = view();
  EXPECT_TRUE(count_bytes(must(select(*tree, {"d"}, {}))).has_hard_links);
  EXPECT_FALSE(count_bytes(must(select(*tree, {"d/sub"}, {}))).has_hard_links);
}

}  // namespace
}  // namespace mybuild::ops
