// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/store.h"

#include "tests/caches/cache_fixture.h"

namespace mybuild::caches {
namespace {

using Store = CacheTest;

TEST_F(Store, ListsByIdAndThoseWithoutARecordLast) {
  EXPECT_TRUE(store_.list()->empty()) << "no directory yet";
  make(owned_by_us("b"), "1");
  make(owned_by_us("a"), "22", 2);
  const std::string old = make(owned_by_us("old"), "3");
  ASSERT_TRUE(sys::unlink_at(AT_FDCWD, join_path(old, "record.json")));
  ASSERT_TRUE(make_dirs(join_path(mounts_, owned_by_us("empty").key())));
  const std::vector<Cache> all = store_.list().value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].record->identity.id, "a");
  EXPECT_EQ(all[0].slots.size(), 2U);
  EXPECT_EQ(cache_bytes(all[0]).value(), 6U);
  EXPECT_EQ(all[1].record->identity.id, "b");
  EXPECT_FALSE(all[2].record);
  EXPECT_EQ(all[2].mode, 0755U);
  EXPECT_FALSE(all[2].in_use);
}

TEST_F(Store, FindsAllOfAnIdOrOneByItsKey) {
  make(owned_by_us("a"), "1");
  make(owned_by_us("a", 0700), "2");
  EXPECT_EQ(store_.find("a")->size(), 2U);
  const std::string key = owned_by_us("a", 0700).key();
  EXPECT_EQ(store_.find(key.substr(0, 12))->front().key, key);
  EXPECT_EQ(store_.find(key.substr(0, 5)).error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(store_.find("b").error().message(), "no such cache mount: b");
}

TEST_F(Store, NeverRemovesWhatAStepUses) {
  const CacheIdentity identity = owned_by_us("a");
  const std::string dir = make(identity, "x", 2);
  for (const FileLock::Mode mode : {FileLock::Mode::Shared, FileLock::Mode::Exclusive}) {
    const FileLock step = FileLock::acquire(slot_lock_path(dir, "1"), mode).value();
    const Cache cache = store_.find("a")->front();
    EXPECT_TRUE(cache.in_use);
    EXPECT_EQ(store_.remove(cache).error().kind(), ErrorKind::Denied);
    EXPECT_EQ(content(identity), "x0");
  }
  ASSERT_TRUE(store_.remove(store_.find("a")->front()));
  EXPECT_TRUE(store_.list()->empty());
  EXPECT_EQ(content(identity), "none");
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, slot_lock_path(dir, "1"))) << "waiters hold it open";
}

TEST_F(Store, AStepThatIsAboutToMakeItsCacheUsesIt) {
  const CacheIdentity identity = owned_by_us("a");
  ASSERT_TRUE(make_dirs(dir_of(identity)));
  const FileLock step =
      FileLock::acquire(slot_lock_path(dir_of(identity), "0"), FileLock::Mode::Exclusive).value();
  ASSERT_TRUE(make_dirs(join_path(root_.path(), "tree")));
  EXPECT_EQ(store_.replace(identity, {join_path(root_.path(), "tree")}).error().message(),
            "cache mount \"a\" is in use by a running step");
}

TEST_F(Store, ReplacesAllSlotsAtOnce) {
  const CacheIdentity identity = owned_by_us("a");
  make(identity, "old", 3);
  const std::string tree = join_path(root_.path(), "tree");
  ASSERT_TRUE(make_dirs(tree));
  ASSERT_TRUE(write_file(join_path(tree, "file"), "new"));
  ASSERT_TRUE(store_.replace(identity, {tree}));
  EXPECT_EQ(content(identity), "new");
  EXPECT_EQ(store_.find("a")->front().slots.size(), 1U);
}

}  // namespace
}  // namespace mybuild::caches
