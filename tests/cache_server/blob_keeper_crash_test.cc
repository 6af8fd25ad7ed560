// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/blob_keeper.h"
#include "builder/cache_server/store/local_blob_store.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/support/kill_at_syscall.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

const Digest kDigest = Digest::of("hello");
const Time kNow{std::chrono::seconds(1'800'000'000)};

struct Stores {
  explicit Stores(const std::string& root)
      : blobs(open_local_blob_store(root + "/blobs").value()),
        meta(open_sqlite_meta_store(root + "/db").value()) {}
  bool has_bytes() const { return blobs->size(kDigest)->has_value(); }
  bool has_link() const { return meta->repositories().is_linked(kDigest).value(); }

  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<MetaStore> meta;
  BlobKeeper keeper{*blobs, *meta};
};

/// A blob comes and goes.
void live(const std::string& root) {
  Stores stores(root);
  auto writer = stores.blobs->begin().value();
  (void)writer->write(as_bytes("hello"));
  (void)stores.keeper.keep(std::move(writer), kDigest, "main", kNow);
  (void)stores.keeper.drop("main", kDigest);
}

TEST(KeeperCrash, NoLinkIsEverWithoutItsBytes) {
  constexpr std::size_t kStride = 5;  // of all calls a fifth, as each death costs a fork
  std::size_t links = 0;
  std::size_t strays = 0;
  for (std::size_t step = 0;; step += kStride) {
    const TempDir directory = TempDir::create().value();
    (void)Stores(directory.path());
    const KillOutcome outcome = run_and_kill_at_syscall(step, [&] { live(directory.path()); });
    if (outcome == KillOutcome::Impossible) {
      GTEST_SKIP() << "ptrace is not permitted here";
    }
    Stores stores(directory.path());
    EXPECT_TRUE(!stores.has_link() || stores.has_bytes()) << "killed at call " << step;
    links += stores.has_link() ? 1 : 0;
    strays += stores.has_bytes() && !stores.has_link() ? 1 : 0;
    EXPECT_TRUE(stores.keeper.sweep([] { return true; }));
    EXPECT_EQ(stores.has_bytes(), stores.has_link()) << "killed at call " << step;
    if (outcome == KillOutcome::Finished) {
      break;
    }
  }
  EXPECT_GT(links, 0U) << "some died with the blob";
  EXPECT_GT(strays, 0U) << "some died between the bytes and the link";
}

}  // namespace
}  // namespace mybuild::cache_server
