// SPDX-License-Identifier: Apache-2.0
// Which keys are believed, and what the user hears of it.
#include "builder/cache_client/key_ring.h"

#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

namespace mybuild::cache_client {
namespace {

cache_server::PublicKey key() {
  return cache_server::SigningKey::generate().value().public_key();
}

class KeyRingTest : public testing::Test {
 protected:
  KeyRing ring(KeyMap given = {}, const std::string& server = "https://c.test") {
    return {server, std::move(given), join_path(dir.path(), "mybuild/cache-keys.json")};
  }
  const TempDir dir = TempDir::create().value();
  const cache_server::PublicKey one = key();
  const cache_server::PublicKey other = key();
};

TEST_F(KeyRingTest, AKeyIsNotedAtFirstUseWithAWarningThatSaysIt) {
  KeyRing first = ring();
  EXPECT_FALSE(first.find("team"));
  const auto warnings = first.meet({{"team", one}});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].message.find(cache_server::to_string(one)), std::string::npos);
  EXPECT_EQ(first.find("team"), one);
  KeyRing later = ring();
  EXPECT_TRUE(later.meet({{"team", one}}).empty());
  EXPECT_EQ(later.find("team"), one);
}

TEST_F(KeyRingTest, AChangedKeyIsNotBelieved) {
  (void)ring().meet({{"team", one}});
  KeyRing later = ring();
  const auto warnings = later.meet({{"team", other}});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].message.find("has changed"), std::string::npos);
  EXPECT_FALSE(later.find("team"));
  EXPECT_TRUE(later.meet({{"team", other}}).empty()) << "it is said once";
  EXPECT_TRUE(ring().meet({{"team", one}}).empty()) << "the first one is still noted";
}

TEST_F(KeyRingTest, EveryServerHasKeysOfItsOwn) {
  (void)ring().meet({{"team", one}});
  KeyRing elsewhere = ring({}, "https://d.test");
  (void)elsewhere.meet({{"team", other}});
  EXPECT_EQ(elsewhere.find("team"), other);
  EXPECT_TRUE(ring().meet({{"team", one}}).empty());
}

TEST_F(KeyRingTest, WithKeysOfTheUsersOwnOnlyTheseCount) {
  KeyRing pinned = ring({{"team", one}});
  const auto warnings = pinned.meet({{"team", one}, {"evil", other}});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].message.find("evil"), std::string::npos);
  EXPECT_EQ(pinned.find("team"), one);
  EXPECT_FALSE(pinned.find("evil"));
  EXPECT_EQ(pinned.meet({{"team", other}}).size(), 1U);
  EXPECT_FALSE(pinned.find("team"));
}

TEST_F(KeyRingTest, AFileThatCannotBeReadBelievesNobody) {
  (void)ring().meet({{"team", one}});
  ASSERT_TRUE(write_file(join_path(dir.path(), "mybuild/cache-keys.json"), "{"));
  KeyRing later = ring();
  EXPECT_EQ(later.meet({{"team", one}}).size(), 1U);
  EXPECT_FALSE(later.find("team"));
}

}  // namespace
}  // namespace mybuild::cache_client
