// SPDX-License-Identifier: Apache-2.0
// A blob that is read while it comes.
#include "builder/source/blob_fetcher.h"

#include "snapshotter/base/file.h"
#include "snapshotter/content/local_store.h"
#include "tests/source/fakes.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

namespace mybuild::source {
namespace {

class IncomingBlobs : public testing::Test {
 protected:
  /// Sends `first`, says so, and sends `rest` when it is told to.
  BlobWant in_two_parts(const std::string& first, const std::string& rest, const Digest& digest) {
    oci::Descriptor blob;
    blob.digest = digest;
    blob.size = first.size() + rest.size();
    const auto origin = [=, this](const oci::Descriptor&, Sink& sink) -> Status {
      TRY(sink.write(as_bytes(first)));
      first_part_.count_down();
      second_part_.wait();
      return sink.write(as_bytes(rest));
    };
    return {.blob = blob, .origin = origin, .vertex = {Digest::of("vertex")}};
  }
  static std::string read(Source& source, std::size_t size) {
    std::string text(size, ' ');
    const auto count = source.read({reinterpret_cast<std::byte*>(text.data()), text.size()});
    return count ? text.substr(0, *count) : "ERROR " + count.error().message();
  }

  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<snapshotter::ContentStore> content_ =
      snapshotter::make_local_content_store(dir_.path()).value();
  Lanes lanes_{Lanes::Caps{}};
  RecordedEvents events_;
  Cancel cancel_;
  FixedClock clock_{Time{}};
  std::latch first_part_{1};
  std::latch second_part_{1};
  BlobFetcher fetcher_{{*content_, lanes_, events_, cancel_, clock_}};
};

TEST_F(IncomingBlobs, WhatHasComeCanBeReadAndTheEndIsToldWhenAllIsVerified) {
  const BlobWant want = in_two_parts("hello ", "world", Digest::of("hello world"));
  const BlobFetcher::Interest interest = BlobFetcher::interest();
  fetcher_.prefetch(want, interest);
  first_part_.wait();
  IncomingBlob blob = fetcher_.open(want).value();
  EXPECT_EQ(read(*blob.source, 3), "hel");
  EXPECT_EQ(read(*blob.source, 100), "lo ");
  EXPECT_FALSE(content_->stat(want.blob.digest)->has_value());
  second_part_.count_down();
  EXPECT_EQ(read(*blob.source, 100), "world");
  EXPECT_EQ(read(*blob.source, 100), "");
  EXPECT_TRUE(blob.verdict());
  EXPECT_EQ(content_->read(want.blob.digest).value(), "hello world");
}

TEST_F(IncomingBlobs, OtherBytesEndInAnErrorAndNotInAnEnd) {
  const BlobWant want = in_two_parts("hello ", "there", Digest::of("hello world"));
  const BlobFetcher::Interest interest = BlobFetcher::interest();
  fetcher_.prefetch(want, interest);
  first_part_.wait();
  IncomingBlob blob = fetcher_.open(want).value();
  EXPECT_EQ(read(*blob.source, 6), "hello ");
  second_part_.count_down();
  // The rest may be read before it is known to be wrong.
  const std::string rest = read(*blob.source, 100);
  if (rest != "there") {
    EXPECT_EQ(rest.substr(0, 5), "ERROR");
  }
  EXPECT_EQ(read(*blob.source, 100).substr(0, 5), "ERROR");
  EXPECT_EQ(blob.verdict().error().kind(), ErrorKind::DataLoss);
  EXPECT_FALSE(content_->stat(want.blob.digest)->has_value());
}

TEST_F(IncomingBlobs, OneThatNobodyFetchesIsFetchedFirst) {
  second_part_.count_down();
  const BlobWant want = in_two_parts("hello ", "world", Digest::of("hello world"));
  IncomingBlob blob = fetcher_.open(want).value();
  EXPECT_TRUE(content_->stat(want.blob.digest)->has_value());
  EXPECT_EQ(read(*blob.source, 100), "hello world");
  EXPECT_EQ(read(*blob.source, 100), "");
}

}  // namespace
}  // namespace mybuild::source
