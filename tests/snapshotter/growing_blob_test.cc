// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/growing_blob.h"

#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"

#include <array>
#include <future>
#include <mutex>

namespace mybuild::snapshotter::testing {
namespace {

/// Compresses to nearly as much.
std::string noise(std::size_t size) {
  std::string bytes(size, 0);
  std::uint64_t state = 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

/// Who reads along with what the store makes.
class ReadAlong : public ::testing::Test {
 protected:
  OnDraft listener() {
    return [this](const CompressionSpec& form, const std::shared_ptr<GrowingBlob>& blob) {
      const std::lock_guard lock(mutex_);  // each form has a writer of its own
      forms_.push_back(form);
      readers_.push_back(std::async(std::launch::async, [blob] {
        const auto source = GrowingBlob::read(blob);
        return read_all(*source, 1 << 26);
      }));
      blobs_.push_back(blob);
    };
  }
  std::string directory(const std::string& bytes) {
    drafts_.push_back(must(store_.layers->scratch()));
    const std::string dir = drafts_.back().path() + "/fs";
    must(make_dirs(dir));
    TreeMaker(dir).file("noise", bytes);
    return dir;
  }

  TestStore store_;
  std::vector<TempDir> drafts_;
  std::mutex mutex_;
  std::vector<CompressionSpec> forms_;
  std::vector<std::shared_ptr<GrowingBlob>> blobs_;
  std::vector<std::future<Result<std::string>>> readers_;
};

TEST_F(ReadAlong, with_a_layer_in_each_form_that_is_made_with_it) {
  const std::vector<CompressionSpec> forms = {
      {.compression = oci::Compression::Gzip, .level = {}},
      {.compression = oci::Compression::None, .level = {}},
  };
  const Layer layer =
      must(store_.layers->commit_tree(directory(noise(12 << 20)), forms, listener()));
  ASSERT_EQ(forms_.size(), 2U);
  for (std::size_t i = 0; i < forms_.size(); ++i) {
    const oci::Descriptor blob = must(store_.layers->ensure_blob(layer.diff_id, forms_[i]));
    EXPECT_EQ(blobs_[i]->whole(), blob);
    EXPECT_EQ(must(blobs_[i]->verdict()), blob);
    EXPECT_EQ(Digest::of(must(readers_[i].get())), blob.digest);
  }
}

TEST_F(ReadAlong, with_a_blob_that_is_made_later_but_once) {
  const Layer layer = must(store_.layers->commit_tree(directory(noise(12 << 20))));
  const oci::Descriptor blob =
      must(store_.layers->ensure_blob(layer.diff_id, {}, {}, BlobChoice::AsAsked, listener()));
  ASSERT_EQ(readers_.size(), 1U);
  EXPECT_EQ(Digest::of(must(readers_[0].get())), blob.digest);
  EXPECT_EQ(
      must(store_.layers->ensure_blob(layer.diff_id, {}, {}, BlobChoice::AsAsked, listener())),
      blob);
  EXPECT_EQ(readers_.size(), 1U) << "it was there";
}

TEST_F(ReadAlong, not_where_it_is_over_before_it_begins) {
  const CompressionSpec form;
  must(store_.layers->commit_tree(directory(noise(1 << 20)), std::span(&form, 1), listener()));
  EXPECT_TRUE(readers_.empty());
}

TEST_F(ReadAlong, what_is_no_layer_after_all_is_told_at_once) {
  const Layer layer = must(store_.layers->commit_tree(directory(noise(12 << 20))));
  const std::string tree = must(store_.layers->tree(std::array{layer.diff_id})).value_or("");
  must(write_file(tree + "/noise", noise(13 << 20)));
  EXPECT_FALSE(store_.layers->ensure_blob(layer.diff_id, {}, {}, BlobChoice::AsAsked, listener()));
  ASSERT_EQ(readers_.size(), 1U);
  EXPECT_FALSE(readers_[0].get());
  EXPECT_FALSE(blobs_[0]->verdict());
  EXPECT_FALSE(blobs_[0]->whole());
}

TEST(GrowingBlob, the_end_is_not_told_before_the_blob_is_whole) {
  const auto blob = std::make_shared<GrowingBlob>();
  Fd file = must(sys::memfd("draft"));
  must(sys::write_all(file.get(), as_bytes("bytes")));
  blob->begin(must(sys::dup(file.get())));
  blob->advance(5);
  auto reader = std::async(std::launch::async, [blob] {
    const auto source = GrowingBlob::read(blob);
    return read_all(*source, 100);
  });
  EXPECT_EQ(reader.wait_for(std::chrono::milliseconds(5)), std::future_status::timeout);
  EXPECT_FALSE(blob->whole());
  blob->end(oci::Descriptor{});
  blob->end(make_error(ErrorKind::Cancelled, "only the first end counts"));
  EXPECT_EQ(must(reader.get()), "bytes");
  EXPECT_TRUE(blob->whole());
}

TEST(GrowingBlob, one_that_ends_without_a_draft_is_nothing_to_read) {
  GrowingBlob blob;
  blob.end(not_found("no such blob"));
  EXPECT_FALSE(blob.wait_for_draft());
  EXPECT_FALSE(blob.verdict());
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
