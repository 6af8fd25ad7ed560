// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/content_store_suite.h"

#include "snapshotter/base/sys.h"

#include <thread>
#include <vector>

namespace mybuild::snapshotter {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContentStoreContract);

std::vector<std::string> walk_names(ContentStore& store) {
  std::vector<std::string> names;
  EXPECT_TRUE(store.walk([&](const BlobInfo& info) -> Status {
    names.push_back(info.digest.hex() + " " + std::to_string(info.size));
    return {};
  }));
  return names;
}

TEST_P(ContentStoreContract, WhatWasPutCanBeReadStattedAndWalked) {
  const Result<BlobInfo> info = store_->put("hello");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->digest, Digest::of("hello"));
  EXPECT_EQ(info->size, 5U);
  EXPECT_EQ(store_->read(info->digest).value(), "hello");
  EXPECT_EQ((*store_->stat(info->digest))->size, 5U);
  EXPECT_EQ(walk_names(*store_), std::vector<std::string>{info->digest.hex() + " 5"});
}

TEST_P(ContentStoreContract, OpenGivesADescriptorAtTheStart) {
  const Digest digest = store_->put("hello")->digest;
  for (int i = 0; i < 2; ++i) {
    const Result<Fd> fd = store_->open(digest);
    ASSERT_TRUE(fd);
    EXPECT_EQ(sys::read_to_end(fd->get()).value(), "hello");
  }
}

TEST_P(ContentStoreContract, AMissingBlobIsNotFound) {
  const Digest digest = Digest::of("nobody wrote this");
  EXPECT_EQ(store_->open(digest).error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(store_->read(digest).error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(store_->stat(digest)->has_value());
  EXPECT_TRUE(store_->remove(digest)) << "removing it is success";
}

TEST_P(ContentStoreContract, TheEmptyBlobIsABlob) {
  const Digest digest = store_->put("")->digest;
  EXPECT_EQ(store_->read(digest).value(), "");
}

TEST_P(ContentStoreContract, AnUncommittedIngestLeavesNothing) {
  {
    const auto ingest = store_->begin({});
    ASSERT_TRUE(ingest && (*ingest)->write(as_bytes("half")));
    EXPECT_TRUE(walk_names(*store_).empty());
  }
  EXPECT_FALSE(store_->stat(Digest::of("half"))->has_value());
}

TEST_P(ContentStoreContract, BrokenPromisesAreDataLoss) {
  const Expected other_digest{.digest = Digest::of("other"), .size = {}};
  const auto wrong = store_->begin(other_digest);
  ASSERT_TRUE((*wrong)->write(as_bytes("this")));
  EXPECT_EQ(std::move(**wrong).commit().error().kind(), ErrorKind::DataLoss);

  const Expected three{.digest = {}, .size = 3};
  const auto too_few = store_->begin(three);
  ASSERT_TRUE((*too_few)->write(as_bytes("ab")));
  EXPECT_EQ(std::move(**too_few).commit().error().kind(), ErrorKind::DataLoss);

  const auto too_many = store_->begin(three);
  EXPECT_EQ((*too_many)->write(as_bytes("abcd")).error().kind(), ErrorKind::DataLoss);
  EXPECT_TRUE(walk_names(*store_).empty());
}

TEST_P(ContentStoreContract, ADigestMayBePromisedAfterTheBytes) {
  const auto wrong = store_->begin({});
  ASSERT_TRUE((*wrong)->write(as_bytes("this")));
  (*wrong)->expect(Digest::of("other"));
  EXPECT_EQ(std::move(**wrong).commit().error().kind(), ErrorKind::DataLoss);
  EXPECT_TRUE(walk_names(*store_).empty());

  const auto right = store_->begin({});
  ASSERT_TRUE((*right)->write(as_bytes("this")));
  (*right)->expect(Digest::of("this"));
  EXPECT_TRUE(std::move(**right).commit());
}

TEST_P(ContentStoreContract, KeptPromisesAreNot) {
  const auto ingest = store_->begin({.digest = Digest::of("abc"), .size = 3});
  ASSERT_TRUE((*ingest)->write(as_bytes("a")));
  ASSERT_TRUE((*ingest)->write(as_bytes("bc")));
  EXPECT_TRUE(std::move(**ingest).commit());
}

TEST_P(ContentStoreContract, ParallelWritersOfOneBlobAllSucceed) {
  const std::string bytes(300'000, 'p');
  std::vector<std::thread> writers;
  std::vector<int> succeeded(6, 0);
  for (int& flag : succeeded) {
    writers.emplace_back([&] { flag = store_->put(bytes).has_value() ? 1 : 0; });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_EQ(succeeded, std::vector<int>(6, 1));
  EXPECT_EQ(walk_names(*store_).size(), 1U);
  EXPECT_EQ(store_->read(Digest::of(bytes)).value(), bytes);
}

TEST_P(ContentStoreContract, RemovingLeavesOpenDescriptorsReadable) {
  const Digest digest = store_->put("hello")->digest;
  const Result<Fd> fd = store_->open(digest);
  ASSERT_TRUE(store_->remove(digest));
  EXPECT_EQ(sys::read_to_end(fd->get()).value(), "hello");
  EXPECT_EQ(store_->open(digest).error().kind(), ErrorKind::NotFound);
}

TEST_P(ContentStoreContract, ReadHasALimit) {
  const Digest digest = store_->put("hello")->digest;
  EXPECT_EQ(store_->read(digest, 5).value(), "hello");
  EXPECT_EQ(store_->read(digest, 4).error().kind(), ErrorKind::InvalidArgument);
}

TEST_P(ContentStoreContract, AnIngestMayOutliveTheStore) {
  auto ingest = store_->begin({});
  ASSERT_TRUE((*ingest)->write(as_bytes("late")));
  store_.reset();
  EXPECT_TRUE(std::move(**ingest).commit());
}

TEST_P(ContentStoreContract, WalkStopsAtTheVisitorsError) {
  (void)store_->put("a");
  (void)store_->put("b");
  int visits = 0;
  const Status status = store_->walk([&](const BlobInfo&) -> Status {
    ++visits;
    return make_error(ErrorKind::Cancelled, "enough");
  });
  EXPECT_EQ(status.error().kind(), ErrorKind::Cancelled);
  EXPECT_EQ(visits, 1);
}

}  // namespace
}  // namespace mybuild::snapshotter
