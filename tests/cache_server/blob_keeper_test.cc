// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/blob_keeper.h"

#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/support/memory_blob_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

namespace mybuild::cache_server {
namespace {

using std::chrono::hours;

constexpr std::uint64_t kAll = ~std::uint64_t{0};

class Keeper : public ::testing::Test {
 protected:
  std::unique_ptr<BlobWriter> writer(std::string_view bytes) {
    auto writer = blobs_->begin().value();
    EXPECT_TRUE(writer->write(as_bytes(bytes)));
    return writer;
  }
  Digest keep(std::string_view bytes, const std::string& space = "main") {
    EXPECT_TRUE(keeper_.keep(writer(bytes), Digest::of(bytes), space, now_));
    return Digest::of(bytes);
  }
  bool has_bytes(const Digest& digest) { return blobs_->size(digest)->has_value(); }
  bool has_link(const Digest& digest) { return tables_.is_linked(digest).value(); }

  TempDir directory_ = TempDir::create().value();
  std::unique_ptr<BlobStore> blobs_ = make_memory_blob_store();
  std::unique_ptr<MetaStore> meta_ = open_sqlite_meta_store(directory_.path() + "/db").value();
  RepositoryTables& tables_ = meta_->repositories();
  BlobKeeper keeper_{*blobs_, *meta_};
  const Time now_{std::chrono::seconds(1'800'000'000)};
};

TEST_F(Keeper, WhatIsKeptIsThereAndLinked) {
  const Digest digest = keep("hello");
  EXPECT_EQ((*keeper_.open(digest))->size(), 5U);
  EXPECT_EQ(tables_.find_blob({"main"}, digest, now_).value(), "main");
  EXPECT_EQ(tables_.linked_bytes().value(), 5U);
}

TEST_F(Keeper, WrongBytesAreNeitherKeptNorLinked) {
  const Digest other = Digest::of("other");
  EXPECT_EQ(keeper_.keep(writer("this"), other, "main", now_).error().kind(),
            ErrorKind::InvalidArgument);
  EXPECT_FALSE(has_bytes(other));
  EXPECT_FALSE(has_link(other));
  EXPECT_FALSE(has_link(Digest::of("this")));
}

TEST_F(Keeper, SharingLinksWhatSomebodyHas) {
  const Digest digest = keep("hello");
  EXPECT_FALSE(keeper_.share({"stranger"}, digest, "child", now_).value());
  EXPECT_FALSE(tables_.find_blob({"child"}, digest, now_)->has_value());
  EXPECT_TRUE(keeper_.share({"stranger", "main"}, digest, "child", now_).value());
  EXPECT_TRUE(tables_.find_blob({"child"}, digest, now_)->has_value());
  EXPECT_EQ(tables_.linked_bytes().value(), 5U);
  EXPECT_TRUE(keeper_.share_from_anywhere(digest, "another", now_).value());
  EXPECT_FALSE(keeper_.share_from_anywhere(Digest::of("nothing"), "another", now_).value());
}

TEST_F(Keeper, BytesGoWithTheirLastLink) {
  const Digest digest = keep("hello");
  keep("hello", "other");
  EXPECT_TRUE(keeper_.drop("main", digest).value());
  EXPECT_FALSE(keeper_.drop("main", digest).value());
  EXPECT_TRUE(has_bytes(digest));
  EXPECT_TRUE(keeper_.drop("other", digest).value());
  EXPECT_FALSE(has_bytes(digest));
}

TEST_F(Keeper, CollectingRemovesBytesThatNobodyUsedForLong) {
  const Digest old = keep("hello");
  ASSERT_TRUE(tables_.link_blob("main", Digest::of("new"), 3, now_ + hours(48)));
  const auto removed = keeper_.collect(now_ + hours(24), kAll).value();
  EXPECT_EQ(removed.blobs, 1U);
  EXPECT_EQ(removed.bytes, 5U);
  EXPECT_FALSE(has_bytes(old));
  EXPECT_FALSE(has_link(old));
  EXPECT_EQ(keeper_.collect(now_ + hours(24), kAll)->blobs, 0U);
}

TEST_F(Keeper, ASweepFindsBytesThatAKilledWriterLeft) {
  const Digest linked = keep("hello");
  ASSERT_TRUE(std::move(*writer("left")).commit(Digest::of("left")));
  EXPECT_EQ(keeper_.sweep([] { return false; })->blobs, 0U) << "stopped at once";
  const auto removed = keeper_.sweep([] { return true; }).value();
  EXPECT_EQ(removed.blobs, 1U);
  EXPECT_EQ(removed.bytes, 4U);
  EXPECT_TRUE(has_bytes(linked));
  EXPECT_FALSE(has_bytes(Digest::of("left")));
}

TEST_F(Keeper, ABlobWhoseBytesAreLostIsNotThereAnyMore) {
  const Digest digest = keep("hello");
  ASSERT_TRUE(blobs_->remove(digest));
  EXPECT_EQ(keeper_.open(digest).error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(has_link(digest)) << "so somebody is asked to bring it again";
  EXPECT_EQ(keeper_.lost(), 1U);
  keep("hello");
  EXPECT_TRUE(keeper_.open(digest));
  ASSERT_TRUE(blobs_->remove(digest));
  EXPECT_FALSE(keeper_.share({"main"}, digest, "main", now_).value());
  EXPECT_FALSE(has_link(digest));
  EXPECT_EQ(keeper_.open(Digest::of("never there")).error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(keeper_.lost(), 2U);
}

/// Does something when the bytes are on the disk and not linked yet.
class InterruptedWriter final : public BlobWriter {
 public:
  InterruptedWriter(std::unique_ptr<BlobWriter> writer, std::function<void()> interrupt)
      : writer_(std::move(writer)), interrupt_(std::move(interrupt)) {}
  Status write(ByteSpan bytes) override { return writer_->write(bytes); }
  std::uint64_t size() const override { return writer_->size(); }
  Status commit(const Digest& digest) && override {
    TRY(std::move(*writer_).commit(digest));
    interrupt_();
    return {};
  }

 private:
  std::unique_ptr<BlobWriter> writer_;
  std::function<void()> interrupt_;
};

TEST_F(Keeper, ABlobThatIsUploadedWhileItIsCollectedStays) {
  std::thread collector;
  auto interrupted = std::make_unique<InterruptedWriter>(writer("hello"), [&] {
    collector = std::thread([&] { EXPECT_EQ(keeper_.sweep([] { return true; })->blobs, 0U); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  EXPECT_TRUE(keeper_.keep(std::move(interrupted), Digest::of("hello"), "main", now_));
  collector.join();
  EXPECT_TRUE(has_bytes(Digest::of("hello")));
}

TEST_F(Keeper, UploadsSharesDropsAndCollectionsAtOnceNeverLeaveALinkWithoutBytes) {
  const auto repeat = [](const std::function<void()>& what) {
    return std::thread([what] {
      for (int i = 0; i < 20; ++i) {
        what();
      }
    });
  };
  const Digest digest = Digest::of("hello");
  std::vector<std::thread> threads;
  threads.push_back(repeat([&] { keep("hello"); }));
  threads.push_back(repeat([&] { EXPECT_TRUE(keeper_.share({"main"}, digest, "other", now_)); }));
  threads.push_back(repeat([&] { EXPECT_TRUE(keeper_.drop("main", digest)); }));
  threads.push_back(repeat([&] { EXPECT_TRUE(keeper_.collect(now_ + hours(24), kAll)); }));
  threads.push_back(repeat([&] { EXPECT_TRUE(keeper_.sweep([] { return true; })); }));
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(keeper_.sweep([] { return true; }));
  EXPECT_EQ(has_link(digest), has_bytes(digest));
}

}  // namespace
}  // namespace mybuild::cache_server
