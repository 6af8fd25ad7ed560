// SPDX-License-Identifier: Apache-2.0
// A state directory with cache mounts in it, as steps leave them.
#pragma once

#include "builder/caches/slots.h"
#include "builder/caches/store.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <string>

namespace mybuild::caches {

class CacheTest : public ::testing::Test {
 protected:
  static CacheIdentity owned_by_us(const std::string& id, mode_t mode = 0755) {
    CacheIdentity identity;
    identity.id = id;
    identity.uid = ::geteuid();
    identity.gid = ::getegid();
    identity.mode = mode;
    return identity;
  }
  std::string dir_of(const CacheIdentity& identity) const {
    return join_path(mounts_, identity.key());
  }
  /// The cache with one file in each of its slots.
  std::string make(const CacheIdentity& identity, const std::string& text, int slots = 1) {
    const std::string dir = dir_of(identity);
    for (int slot = 0; slot < slots; ++slot) {
      const std::string path = join_path(dir, std::to_string(slot));
      EXPECT_TRUE(make_dirs(path));
      EXPECT_TRUE(write_file(join_path(path, "file"), text + std::to_string(slot)));
      EXPECT_TRUE(write_file(slot_lock_path(dir, std::to_string(slot)), ""));
    }
    EXPECT_TRUE(note_use(dir, identity, clock_.now()));
    return dir;
  }
  std::string content(const CacheIdentity& identity, int slot = 0) const {
    return read_file(fmt::format("{}/{}/file", dir_of(identity), slot)).value_or("none");
  }

  const FixedClock clock_{Time(std::chrono::seconds(1000))};
  const TempDir root_ = TempDir::create().value();
  const std::string mounts_ = join_path(root_.path(), "cache-mounts");
  const CacheStore store_{mounts_, join_path(root_.path(), "trash"), clock_};
};

}  // namespace mybuild::caches
