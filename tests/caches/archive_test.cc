// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/archive.h"

#include "snapshotter/archive/tar_writer.h"
#include "tests/caches/cache_fixture.h"

#include <future>

namespace mybuild::caches {
namespace {

using namespace std::chrono_literals;
using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TarWriter;

class TextSink final : public Sink {
 public:
  Status write(ByteSpan bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  std::string text;
};

class Archive : public CacheTest {
 protected:
  Result<std::string> exported(const std::string& name) {
    TextSink sink;
    TRY(export_caches(
        TRY(store_.find(name)), sink, [this](const Cache&) { waited_ = true; }, cancel_));
    return sink.text;
  }
  Result<std::vector<Cache>> imported(const std::string& text,
                                      const std::optional<std::string>& id = {}) {
    const std::string path = join_path(root_.path(), "archive");
    TRY(write_file(path, text));
    FileSource source(TRY(sys::open(path, O_RDONLY)));
    const TempDir scratch = TRY(TempDir::create(root_.path()));
    return import_caches(source, store_, scratch.path(), id);
  }
  /// An archive with this index and what `add` writes.
  Result<std::vector<Cache>> import_made(const std::string& index,
                                         const std::function<void(TarWriter&)>& add) {
    TextSink sink;
    TarWriter tar(sink);
    EXPECT_TRUE(tar.add_file("cache-mounts.json", index));
    add(tar);
    EXPECT_TRUE(tar.finish());
    return imported(sink.text);
  }

  static Entry entry(const std::string& path, EntryType type, const std::string& link = {}) {
    Entry made;
    made.path = path;
    made.type = type;
    made.mode = 0755;
    made.uid = ::geteuid();
    made.gid = ::getegid();
    made.link = link;
    return made;
  }

  Cancel cancel_;
  bool waited_ = false;
};

const std::string kOne = R"({"version":1,"cache_mounts":[{"id":"a","slots":1}]})";

TEST_F(Archive, CarriesFilesAndIdentity) {
  const CacheIdentity identity = owned_by_us("a", 02750);
  const std::string dir = make(identity, "x", 2);
  ASSERT_TRUE(sys::fchmod_at(AT_FDCWD, dir + "/0", 02750));
  ASSERT_TRUE(sys::fchmod_at(AT_FDCWD, dir + "/0/file", 0640));
  ASSERT_TRUE(sys::link_at(AT_FDCWD, dir + "/0/file", AT_FDCWD, dir + "/0/second"));
  ASSERT_TRUE(sys::symlink_at("/nowhere", AT_FDCWD, dir + "/0/link"));
  ASSERT_TRUE(sys::set_times_at(AT_FDCWD, dir + "/0/file", {.tv_sec = 77, .tv_nsec = 5}));
  const std::string archive = exported("a").value();
  ASSERT_TRUE(store_.remove(store_.find("a")->front()));
  const std::vector<Cache> back = imported(archive).value();
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back.front().record->identity, identity);
  EXPECT_EQ(content(identity, 0) + content(identity, 1), "x0x1");
  EXPECT_EQ(sys::lstat_at(AT_FDCWD, dir + "/0")->st_mode & 07777U, 02750U);
  const struct stat file = sys::lstat_at(AT_FDCWD, dir + "/0/file").value();
  EXPECT_EQ(file.st_mode & 07777U, 0640U);
  EXPECT_EQ(file.st_nlink, 2U);
  EXPECT_EQ(file.st_mtim.tv_sec, 77);
  EXPECT_EQ(sys::readlink_at(AT_FDCWD, dir + "/0/link").value(), "/nowhere");
}

TEST_F(Archive, HoldsAllCachesOfAnIdAndMayGiveThemAnother) {
  make(owned_by_us("a"), "1");
  make(owned_by_us("a", 0700), "2");
  ASSERT_TRUE(imported(exported("a").value(), "b"));
  EXPECT_EQ(store_.find("b")->size(), 2U);
  EXPECT_EQ(content(owned_by_us("b", 0700)), "20");
}

TEST_F(Archive, IsNotMadeOfWhatAStepChangesMeanwhile) {
  const std::string dir = make(owned_by_us("a"), "x");
  std::optional<FileLock> step =
      FileLock::acquire(slot_lock_path(dir, "0"), FileLock::Mode::Shared).value();
  auto waiting = std::async(std::launch::async, [this] { return exported("a").has_value(); });
  EXPECT_EQ(waiting.wait_for(50ms), std::future_status::timeout);
  step.reset();
  EXPECT_TRUE(waiting.get());
  EXPECT_TRUE(waited_);
}

TEST_F(Archive, OfACacheWithoutARecordIsRefused) {
  const std::string dir = make(owned_by_us("a"), "x");
  ASSERT_TRUE(sys::unlink_at(AT_FDCWD, join_path(dir, "record.json")));
  EXPECT_EQ(exported(owned_by_us("a").key()).error().kind(), ErrorKind::InvalidArgument);
}

TEST_F(Archive, AnImportDoesNotTouchACacheInUse) {
  const CacheIdentity identity = owned_by_us("a");
  const std::string dir = make(identity, "x");
  const std::string archive = exported("a").value();
  ASSERT_TRUE(write_file(dir + "/0/file", "newer"));
  const FileLock step = FileLock::acquire(slot_lock_path(dir, "0"), FileLock::Mode::Shared).value();
  EXPECT_EQ(imported(archive).error().kind(), ErrorKind::Denied);
  EXPECT_EQ(content(identity), "newer");
}

TEST_F(Archive, AHostileOneWritesNothingOutside) {
  const std::string outside = join_path(root_.path(), "outside");
  ASSERT_TRUE(make_dirs(outside));
  const auto made = import_made(kOne, [&](TarWriter& tar) {
    ASSERT_TRUE(tar.add(entry("0", EntryType::Directory)));
    ASSERT_TRUE(tar.add(entry("0/0", EntryType::Directory)));
    ASSERT_TRUE(tar.add(entry("0/0/way", EntryType::Symlink, outside)));
    ASSERT_TRUE(tar.add_file("0/0/way/file", "x"));
    ASSERT_TRUE(tar.add_file("../outside/file", "x"));
  });
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, join_path(outside, "file")));
}

TEST_F(Archive, NoTreeOfItMayBeALink) {
  const std::string outside = join_path(root_.path(), "outside");
  ASSERT_TRUE(make_dirs(join_path(outside, "0")));
  EXPECT_FALSE(import_made(kOne, [&](TarWriter& tar) {
    ASSERT_TRUE(tar.add(entry("0", EntryType::Symlink, outside)));
  }));
  EXPECT_FALSE(import_made(kOne, [&](TarWriter& tar) {
    ASSERT_TRUE(tar.add(entry("0", EntryType::Directory)));
    ASSERT_TRUE(tar.add(entry("0/0", EntryType::Symlink, outside)));
  }));
  EXPECT_FALSE(import_made(kOne, [](TarWriter&) {})) << "no tree at all";
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, join_path(outside, "0")));
  EXPECT_TRUE(store_.list()->empty());
}

TEST_F(Archive, WhatIsNoneIsSaidSo) {
  EXPECT_FALSE(imported("some text"));
  EXPECT_FALSE(import_made("{}", [](TarWriter&) {}));
  EXPECT_EQ(import_made(R"({"version":2,"cache_mounts":[]})", [](TarWriter&) {}).error().kind(),
            ErrorKind::Unsupported);
  EXPECT_FALSE(
      import_made(R"({"version":1,"cache_mounts":[{"id":"a","slots":99999999}]})",
                  [](TarWriter& tar) { ASSERT_TRUE(tar.add(entry("0", EntryType::Directory))); }));
}

}  // namespace
}  // namespace mybuild::caches
