// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/blob_store_suite.h"

#include "snapshotter/base/sys.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace mybuild::cache_server {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlobStoreContract);

Status BlobStoreContract::put(std::string_view bytes) {
  const auto writer = TRY(store_->begin());
  TRY(writer->write(as_bytes(bytes)));
  return std::move(*writer).commit(Digest::of(bytes));
}

std::string BlobStoreContract::read(const Digest& digest) {
  const auto reader = store_->open(digest);
  if (!reader) {
    return "error: " + std::string(to_string(reader.error().kind()));
  }
  std::string text((*reader)->size() + 10, '?');
  const auto count = (*reader)->read(0, std::as_writable_bytes(std::span(text)));
  text.resize(count.value());
  return text;
}

std::vector<std::string> BlobStoreContract::walk_names() {
  std::vector<std::string> names;
  EXPECT_TRUE(store_->walk([&](const Digest& digest, std::uint64_t size) -> Status {
    names.push_back(digest.hex() + " " + std::to_string(size));
    return {};
  }));
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

TEST_P(BlobStoreContract, WhatWasCommittedIsThere) {
  ASSERT_TRUE(put("hello"));
  const Digest digest = Digest::of("hello");
  EXPECT_EQ(read(digest), "hello");
  EXPECT_EQ(store_->size(digest).value(), 5U);
  EXPECT_EQ(walk_names(), std::vector<std::string>{digest.hex() + " 5"});
}

TEST_P(BlobStoreContract, AMissingBlobIsNotFound) {
  const Digest digest = Digest::of("nobody wrote this");
  EXPECT_EQ(store_->open(digest).error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(store_->size(digest)->has_value());
  EXPECT_TRUE(store_->remove(digest)) << "removing it is success";
}

TEST_P(BlobStoreContract, TheEmptyBlobIsABlob) {
  ASSERT_TRUE(put(""));
  EXPECT_EQ(read(Digest::of("")), "");
  EXPECT_EQ(store_->size(Digest::of("")).value(), 0U);
}

TEST_P(BlobStoreContract, AWrongDigestIsRefusedAndLeavesNothing) {
  {
    const auto writer = store_->begin();
    ASSERT_TRUE((*writer)->write(as_bytes("this")));
    EXPECT_EQ(std::move(**writer).commit(Digest::of("other")).error().kind(),
              ErrorKind::InvalidArgument);
  }
  EXPECT_TRUE(walk_names().empty());
  EXPECT_FALSE(store_->size(Digest::of("this"))->has_value());
  EXPECT_FALSE(store_->size(Digest::of("other"))->has_value());
}

TEST_P(BlobStoreContract, WhatWasNotCommittedIsThrownAway) {
  {
    const auto writer = store_->begin();
    ASSERT_TRUE((*writer)->write(as_bytes("half")));
    EXPECT_TRUE(walk_names().empty()) << "and is not seen before";
  }
  EXPECT_TRUE(walk_names().empty());
}

TEST_P(BlobStoreContract, AWriterCountsWhatItGot) {
  const auto writer = store_->begin();
  EXPECT_EQ((*writer)->size(), 0U);
  ASSERT_TRUE((*writer)->write(as_bytes("some ")));
  ASSERT_TRUE((*writer)->write(as_bytes("bytes")));
  EXPECT_EQ((*writer)->size(), 10U);
  ASSERT_TRUE(std::move(**writer).commit(Digest::of("some bytes")));
  EXPECT_EQ(read(Digest::of("some bytes")), "some bytes");
}

TEST_P(BlobStoreContract, ReadsBeginAnywhereAndEndWithTheBlob) {
  ASSERT_TRUE(put("0123456789"));
  const auto reader = store_->open(Digest::of("0123456789"));
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ((*reader)->read(3, buffer).value(), 4U);
  EXPECT_EQ(as_text(buffer), "3456");
  EXPECT_EQ((*reader)->read(8, buffer).value(), 2U);
  EXPECT_EQ(as_text(ByteSpan(buffer).first(2)), "89");
  EXPECT_EQ((*reader)->read(10, buffer).value(), 0U);
  EXPECT_EQ((*reader)->read(1000, buffer).value(), 0U);
}

TEST_P(BlobStoreContract, AFileIfThereIsOneHoldsExactlyTheBytes) {
  ASSERT_TRUE(put("hello"));
  const auto reader = store_->open(Digest::of("hello"));
  const int file = (*reader)->file();
  EXPECT_TRUE(file < 0 || sys::read_to_end(file).value() == "hello");
}

TEST_P(BlobStoreContract, AnOpenBlobIsReadToItsEndWhateverIsRemoved) {
  ASSERT_TRUE(put("hello"));
  const auto reader = store_->open(Digest::of("hello"));
  ASSERT_TRUE(store_->remove(Digest::of("hello")));
  std::array<std::byte, 5> buffer{};
  EXPECT_EQ((*reader)->read(0, buffer).value(), 5U);
  EXPECT_EQ(as_text(buffer), "hello");
  EXPECT_FALSE(store_->size(Digest::of("hello"))->has_value());
}

TEST_P(BlobStoreContract, ManyMayBringTheSameBlobAtOnce) {
  const std::string bytes(300'000, 'p');
  std::vector<std::thread> writers;
  std::vector<int> succeeded(4, 0);
  for (int& flag : succeeded) {
    writers.emplace_back([&] { flag = put(bytes).has_value() ? 1 : 0; });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_EQ(succeeded, std::vector<int>(4, 1));
  EXPECT_EQ(walk_names().size(), 1U);
}

TEST_P(BlobStoreContract, AWalkMayRemoveAndStop) {
  ASSERT_TRUE(put("a"));
  ASSERT_TRUE(put("b"));
  EXPECT_TRUE(
      store_->walk([&](const Digest& digest, std::uint64_t) { return store_->remove(digest); }));
  EXPECT_TRUE(walk_names().empty());
  ASSERT_TRUE(put("a"));
  EXPECT_EQ(store_
                ->walk([](const Digest&, std::uint64_t) -> Status {
                  return make_error(ErrorKind::Cancelled, "enough");
                })
                .error()
                .kind(),
            ErrorKind::Cancelled);
}

}  // namespace
}  // namespace mybuild::cache_server
