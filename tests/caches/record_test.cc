// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/record.h"

#include "tests/caches/cache_fixture.h"

#include <nlohmann/json.hpp>

#include <set>

namespace mybuild::caches {
namespace {

using Record = CacheTest;

TEST_F(Record, OneIdWithAnotherOwnerModeOrStartIsAnotherCache) {
  std::vector<CacheIdentity> all(6);
  all[1].uid = 5;
  all[2].gid = 5;
  all[3].mode = 0700;
  all[4].from = "sha256:1\n";
  all[5].from = "sha256:1\n";
  all[5].source = "/x";
  std::set<std::string> keys;
  for (const CacheIdentity& identity : all) {
    keys.insert(identity.key());
  }
  EXPECT_EQ(keys.size(), all.size());
}

TEST_F(Record, OwnersOfFilesThatWereThereBeforeAreNoPartOfTheKey) {
  CacheIdentity a;
  a.from = "sha256:1\n";
  CacheIdentity b = a;
  b.uid = 7;
  EXPECT_EQ(a.key(), b.key());
}

TEST_F(Record, KeepsWhenTheCacheWasMadeAndWhenItWasUsedLast) {
  const CacheIdentity identity = owned_by_us("a/b \"c\"", 02750);
  const std::string dir = make(identity, "x");
  ASSERT_TRUE(note_use(dir, identity, clock_.now() + std::chrono::hours(1)));
  const std::optional<CacheRecord> record = read_record(dir);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->identity, identity);
  EXPECT_EQ(record->created, clock_.now());
  EXPECT_EQ(record->last_used, clock_.now() + std::chrono::hours(1));
}

TEST_F(Record, ADamagedOneIsNone) {
  const CacheIdentity identity = owned_by_us("a");
  const std::string dir = make(identity, "x");
  for (const char* text : {"", "{", "{}", R"({"id":"a","created":"x","last_used":"y"})",
                           R"({"id":"a","uid":-1,"created":"2026-01-01T00:00:00Z"})"}) {
    ASSERT_TRUE(write_file(join_path(dir, "record.json"), text));
    EXPECT_FALSE(read_record(dir)) << text;
  }
  ASSERT_TRUE(note_use(dir, identity, clock_.now()));
  EXPECT_TRUE(read_record(dir)) << "and is replaced at the next use";
}

TEST_F(Record, NamesakesAreCachesOfTheSameIdAndAnotherIdentity) {
  const CacheIdentity mine = owned_by_us("a");
  make(mine, "x");
  make(owned_by_us("a", 0700), "y");
  make(owned_by_us("b", 0700), "z");
  const auto others = namesakes(mounts_, mine);
  ASSERT_TRUE(others);
  ASSERT_EQ(others->size(), 1U);
  EXPECT_EQ(others->front().mode, 0700U);
  EXPECT_EQ(others->front().described(),
            fmt::format("uid={},gid={},mode=0700", ::geteuid(), ::getegid()));
}

TEST_F(Record, IdentitiesFromOutsideAreChecked) {
  const auto parse = [](const char* text) {
    return parse_identity(nlohmann::json::parse(text)).has_value();
  };
  EXPECT_TRUE(parse(R"({"id":"a"})"));
  EXPECT_FALSE(parse(R"({"uid":1})"));
  EXPECT_FALSE(parse(R"({"id":"a","uid":4294967296})"));
  EXPECT_FALSE(parse(R"({"id":"a","mode":"0999"})"));
  EXPECT_FALSE(parse(R"({"id":"a","mode":493})"));
}

}  // namespace
}  // namespace mybuild::caches
