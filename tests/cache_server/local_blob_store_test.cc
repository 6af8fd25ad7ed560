// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/local_blob_store.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

class LocalBlobStore : public ::testing::Test {
 protected:
  std::unique_ptr<BlobStore> open_store() { return open_local_blob_store(root_).value(); }
  Digest put(BlobStore& store, std::string_view bytes) {
    const auto writer = store.begin();
    EXPECT_TRUE((*writer)->write(as_bytes(bytes)));
    EXPECT_TRUE(std::move(**writer).commit(Digest::of(bytes)));
    return Digest::of(bytes);
  }
  std::string path_of(const Digest& digest) const {
    return root_ + "/blobs/sha256/" + digest.hex();
  }
  std::size_t drafts() const {
    const Fd fd = sys::open(root_ + "/ingest", O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get())->size();
  }

  TempDir directory_ = TempDir::create().value();
  std::string root_ = directory_.path() + "/blobs";
};

TEST_F(LocalBlobStore, ABlobStaysWhenTheStoreIsClosed) {
  const Digest digest = put(*open_store(), "hello");
  EXPECT_EQ((*open_store()->open(digest))->size(), 5U);
}

TEST_F(LocalBlobStore, ABlobIsAFileThatTheKernelCanSend) {
  const auto store = open_store();
  const auto reader = store->open(put(*store, "hello"));
  ASSERT_GE((*reader)->file(), 0);
  EXPECT_EQ(sys::read_to_end((*reader)->file()).value(), "hello");
}

TEST_F(LocalBlobStore, ABlobWithAFlippedBitIsDataLossOnceAndThenGone) {
  const auto store = open_store();
  const Digest digest = put(*store, "hello");
  {
    const Fd fd = sys::open(path_of(digest), O_WRONLY).value();
    ASSERT_EQ(::pwrite(fd.get(), "j", 1, 0), 1);
  }
  EXPECT_EQ(store->open(digest).error().kind(), ErrorKind::DataLoss);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path_of(digest)));
  EXPECT_EQ(store->open(digest).error().kind(), ErrorKind::NotFound);
  put(*store, "hello");
  EXPECT_TRUE(store->open(digest)) << "it can be brought again";
}

TEST_F(LocalBlobStore, ABlobOfAnEarlierBootIsReadBeforeAnybodyGetsIt) {
  const auto store = open_store();
  const Digest digest = put(*store, "hello");
  ASSERT_EQ(::truncate(path_of(digest).c_str(), 2), 0);
  ASSERT_TRUE(sys::set_times_at(AT_FDCWD, path_of(digest), {.tv_sec = 1000, .tv_nsec = 0}));
  EXPECT_EQ(store->open(digest).error().kind(), ErrorKind::DataLoss);
}

TEST_F(LocalBlobStore, ALargeBlobComesInManyPieces) {
  const auto store = open_store();
  const std::string piece(1 << 20, 'p');
  const auto writer = store->begin();
  Hasher hasher;
  for (int i = 0; i < 17; ++i) {
    hasher.update(piece);
    ASSERT_TRUE((*writer)->write(as_bytes(piece)));
  }
  const Digest digest = hasher.finish();
  ASSERT_TRUE(std::move(**writer).commit(digest));
  EXPECT_EQ(store->size(digest).value(), 17U << 20);
}

TEST_F(LocalBlobStore, DraftsOfTheDeadGoWhenTheStoreIsOpened) {
  (void)open_store();
  ASSERT_TRUE(write_file(root_ + "/ingest/left-behind", "dead"));
  (void)open_store();
  EXPECT_EQ(drafts(), 0U);
}

TEST_F(LocalBlobStore, ARefusedUploadLeavesNoDraft) {
  const auto store = open_store();
  {
    const auto writer = store->begin();
    ASSERT_TRUE((*writer)->write(as_bytes("this")));
    EXPECT_EQ(drafts(), 1U);
    EXPECT_FALSE(std::move(**writer).commit(Digest::of("other")));
  }
  EXPECT_EQ(drafts(), 0U);
}

}  // namespace
}  // namespace mybuild::cache_server
