// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/content/local_store.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "tests/support/kill_at_syscall.h"

#include <gtest/gtest.h>

#include <sys/wait.h>

namespace mybuild::snapshotter {
namespace {

class LocalStore : public ::testing::Test {
 protected:
  std::unique_ptr<ContentStore> open_store() { return make_local_content_store(root_).value(); }
  std::string blob_path(const Digest& digest) const {
    return root_ + "/blobs/sha256/" + digest.hex();
  }
  std::vector<std::string> drafts() const {
    const Fd fd = sys::open(root_ + "/ingest", O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get()).value();
  }
  /// As if the blob had been written before the machine was started.
  void age(const Digest& digest) const {
    ASSERT_TRUE(sys::set_times_at(AT_FDCWD, blob_path(digest), {.tv_sec = 1000, .tv_nsec = 0}));
  }
  void tear(const Digest& digest, off_t size) const {
    ASSERT_EQ(::truncate(blob_path(digest).c_str(), size), 0);
  }

  TempDir directory_ = TempDir::create().value();
  std::string root_ = directory_.path() + "/content";
};

TEST_F(LocalStore, BlobsLieWhereAnOciLayoutHasThem) {
  const Digest digest = open_store()->put("hello")->digest;
  EXPECT_EQ(read_file(blob_path(digest)).value(), "hello");
  EXPECT_EQ(sys::stat_at(AT_FDCWD, blob_path(digest))->st_mode & 0777U, 0444U);
}

TEST_F(LocalStore, TwoStoresOnOneDirectorySeeEachOther) {
  const auto one = open_store();
  const auto two = open_store();
  const Digest digest = one->put("hello")->digest;
  EXPECT_EQ(two->read(digest).value(), "hello");
}

TEST_F(LocalStore, OpeningRemovesDraftsOfTheDeadOnly) {
  const auto store = open_store();
  const auto living = store->begin({});
  ASSERT_TRUE((*living)->write(as_bytes("living")));
  ASSERT_TRUE(write_file(root_ + "/ingest/left-behind", "dead"));
  EXPECT_EQ(drafts().size(), 2U);
  const auto second = open_store();
  EXPECT_EQ(drafts().size(), 1U);
  ASSERT_TRUE(std::move(**living).commit());
  EXPECT_EQ(second->read(Digest::of("living")).value(), "living");
}

TEST_F(LocalStore, ABlobOfAnEarlierBootIsVerifiedOnceAndThenTrusted) {
  const auto store = open_store();
  const Digest digest = store->put("hello")->digest;
  age(digest);
  EXPECT_TRUE(store->open(digest));
  EXPECT_GT(sys::stat_at(AT_FDCWD, blob_path(digest))->st_mtim.tv_sec, 1000) << "remembered";
}

TEST_F(LocalStore, ABlobTornByAPowerCutWasNeverThere) {
  const auto store = open_store();
  for (const off_t size : {0, 2}) {
    const Digest digest = store->put("hello")->digest;
    tear(digest, size);
    age(digest);
    EXPECT_FALSE(store->stat(digest)->has_value());
    EXPECT_EQ(store->open(digest).error().kind(), ErrorKind::NotFound);
    EXPECT_FALSE(sys::exists_at(AT_FDCWD, blob_path(digest)));
  }
  EXPECT_EQ(store->read(store->put("hello")->digest).value(), "hello") << "it can be stored anew";
}

TEST_F(LocalStore, StoringATornBlobAgainHealsIt) {
  const auto store = open_store();
  const Digest digest = store->put("hello")->digest;
  tear(digest, 2);
  EXPECT_EQ(store->read(digest).error().kind(), ErrorKind::NotFound) << "seen and removed";
  EXPECT_EQ(store->damage_found(), 1U);
  ASSERT_TRUE(store->put("hello"));
  EXPECT_EQ(store->read(digest).value(), "hello");
}

TEST_F(LocalStore, AWriteIntoABlobIsSeenInTheSameBoot) {
  const auto store = open_store();
  const Digest digest = store->put("hello")->digest;
  const Fd fd = sys::open(blob_path(digest), O_WRONLY).value();
  ASSERT_EQ(::pwrite(fd.get(), "J", 1, 0), 1);
  EXPECT_FALSE(store->stat(digest)->has_value());
  EXPECT_EQ(store->damage_found(), 1U);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, blob_path(digest)));
}

TEST_F(LocalStore, AWriteIntoABlobIsSeenByItsCtimeWhenTheMtimeIsPutBack) {
  const auto store = open_store();
  const Digest digest = store->put("hello")->digest;
  const long mark = sys::stat_at(AT_FDCWD, blob_path(digest))->st_mtim.tv_nsec;
  const Fd fd = sys::open(blob_path(digest), O_WRONLY).value();
  ASSERT_EQ(::pwrite(fd.get(), "J", 1, 0), 1);
  ASSERT_TRUE(sys::set_times(fd.get(), {.tv_sec = ::time(nullptr) - 10, .tv_nsec = mark}));
  EXPECT_FALSE(store->stat(digest)->has_value());
  EXPECT_EQ(store->damage_found(), 1U);
}

TEST_F(LocalStore, AUsedBlobIsStillTrusted) {
  const Digest digest = open_store()->put("hello")->digest;
  const long mark = sys::stat_at(AT_FDCWD, blob_path(digest))->st_mtim.tv_nsec;
  const auto age = [&](std::int64_t seconds) {
    return sys::set_times_at(AT_FDCWD, blob_path(digest), {.tv_sec = seconds, .tv_nsec = mark});
  };
  ASSERT_TRUE(age(1000));
  ASSERT_TRUE(open_store()->stat(digest)->has_value()) << "looked at";
  const auto info = sys::stat_at(AT_FDCWD, blob_path(digest));
  EXPECT_EQ(info->st_mtim.tv_nsec, mark);
  EXPECT_LE(info->st_ctim.tv_sec, info->st_mtim.tv_sec + 1);
}

TEST_F(LocalStore, ACopyOfTheDirectoryIsTrustedAfterOneLook) {
  const Digest digest = open_store()->put("hello")->digest;
  ASSERT_TRUE(sys::set_times_at(AT_FDCWD, blob_path(digest), {.tv_sec = 2000, .tv_nsec = 0}));
  const auto store = open_store();
  ASSERT_TRUE(store->open(digest));
  EXPECT_NE(sys::stat_at(AT_FDCWD, blob_path(digest))->st_mtim.tv_sec, 2000) << "marked again";
}

TEST_F(LocalStore, WhatSomebodyUsesIsNotRemoved) {
  const auto user = open_store();
  const Digest digest = user->put("hello")->digest;
  const auto collector = open_store();
  EXPECT_FALSE(collector->remove_unused(digest).value());
  EXPECT_FALSE(user->remove_unused(digest).value()) << "one's own use counts";
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, blob_path(digest)));
}

TEST_F(LocalStore, WhatNobodyUsesAnyMoreIsRemoved) {
  const Digest digest = open_store()->put("hello")->digest;
  const auto collector = open_store();
  ASSERT_TRUE(collector->walk([](const BlobInfo&) { return Status(); })) << "a walk uses nothing";
  EXPECT_TRUE(collector->remove_unused(digest).value());
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, blob_path(digest)));
  EXPECT_TRUE(collector->remove_unused(digest).value()) << "what is not there is removed";
}

TEST_F(LocalStore, WhoIsAloneLeasesNothing) {
  const auto alone = make_local_content_store(root_, ContentUsers::One).value();
  const Digest digest = alone->put("hello")->digest;
  EXPECT_EQ(alone->read(digest).value(), "hello");
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, root_ + "/leases"));
  EXPECT_TRUE(alone->remove_unused(digest).value());
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, blob_path(digest)));
}

TEST_F(LocalStore, AUseIsNoted) {
  const Digest digest = open_store()->put("hello")->digest;
  ASSERT_TRUE(sys::set_access_time_at(AT_FDCWD, blob_path(digest), 1000));
  ASSERT_TRUE(open_store()->stat(digest)->has_value());
  EXPECT_GT(sys::stat_at(AT_FDCWD, blob_path(digest))->st_atim.tv_sec, 1000);
}

TEST_F(LocalStore, WalkPassesOverStrangers) {
  const auto store = open_store();
  ASSERT_TRUE(store->put("hello"));
  ASSERT_TRUE(write_file(root_ + "/blobs/sha256/README", "not a blob"));
  int visits = 0;
  ASSERT_TRUE(store->walk([&](const BlobInfo&) -> Status {
    ++visits;
    return {};
  }));
  EXPECT_EQ(visits, 1);
}

/// Opens the store and stores a blob in two pieces.
void ingest_once(const std::string& root) {
  const auto store = make_local_content_store(root);
  const auto ingest = (*store)->begin({});
  (void)(*ingest)->write(as_bytes("some "));
  (void)(*ingest)->write(as_bytes("bytes"));
  (void)std::move(**ingest).commit();
}

TEST_F(LocalStore, KilledAtAnySystemCallItIsWholeOrAbsentAndLeavesNoDraft) {
  const Digest digest = Digest::of("some bytes");
  std::size_t step = 0;
  std::size_t present = 0;
  for (;; ++step) {
    ASSERT_TRUE(remove_tree(root_));
    const KillOutcome outcome = run_and_kill_at_syscall(step, [&] { ingest_once(root_); });
    if (outcome == KillOutcome::Impossible) {
      GTEST_SKIP() << "ptrace is not permitted here";
    }
    const auto store = open_store();
    EXPECT_TRUE(drafts().empty()) << "killed at call " << step;
    const Result<std::optional<BlobInfo>> info = store->stat(digest);
    ASSERT_TRUE(info);
    if (info->has_value()) {
      ++present;
      EXPECT_EQ(store->read(digest).value(), "some bytes") << "killed at call " << step;
    }
    EXPECT_TRUE(store->put("some bytes")) << "the store works on";
    if (outcome == KillOutcome::Finished) {
      break;
    }
  }
  EXPECT_GT(step, 10U);
  EXPECT_GT(present, 0U);
  EXPECT_LT(present, step);
}

}  // namespace
}  // namespace mybuild::snapshotter
