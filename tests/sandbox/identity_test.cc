// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/identity.h"

#include <gtest/gtest.h>

namespace mybuild::sandbox {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken\n"
    "bad:x:notanumber:1::/bad:\n"
    "app:x:1000:1001:App:/home/app:/bin/sh\n"
    "1234:x:77:78::/digits:\n"
    "nohome:x:5:6";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "staff:x:50:app,other\n"
    "app:x:1001:\n"
    "docker:x:999:other,app\n"
    "odd:x:oops:app\n";

struct Case {
  std::string_view user;
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;
  std::string home;
};

TEST(Identity, IsLookedUpAsDockerDoes) {
  const std::vector<Case> cases = {
      {"", 0, 0, {0}, "/root"},
      {"root", 0, 0, {0}, "/root"},
      {"app", 1000, 1001, {1001, 50, 999}, "/home/app"},
      {"1000", 1000, 1001, {1001, 50, 999}, "/home/app"},
      {"app:staff", 1000, 50, {50}, "/home/app"},
      {"app:50", 1000, 50, {50}, "/home/app"},
      {"app:4242", 1000, 4242, {4242}, "/home/app"},
      {"4711", 4711, 0, {0}, "/"},
      {"4711:12", 4711, 12, {12}, "/"},
      {"1234", 77, 78, {78}, "/digits"},
      {"nohome", 5, 6, {6}, "/"},
      {":staff", 0, 50, {50}, "/root"},
  };
  for (const Case& wanted : cases) {
    const auto found = find_identity(wanted.user, kPasswd, kGroup);
    ASSERT_TRUE(found) << wanted.user << ": " << found.error().message();
    EXPECT_EQ(found->uid, wanted.uid) << wanted.user;
    EXPECT_EQ(found->gid, wanted.gid) << wanted.user;
    EXPECT_EQ(found->groups, wanted.groups) << wanted.user;
    EXPECT_EQ(found->home, wanted.home) << wanted.user;
  }
}

TEST(Identity, UnknownNamesAreErrorsInDockersWords) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"ghost", "unable to find user ghost: no matching entries in passwd file"},
      {"bad", "unable to find user bad: no matching entries in passwd file"},
      {"app:ghosts", "unable to find group ghosts: no matching entries in group file"},
      {"99999999999", "unable to find user 99999999999: no matching entries in passwd file"},
      {"-1", "unable to find user -1: no matching entries in passwd file"},
  };
  for (const auto& [user, message] : cases) {
    const auto found = find_identity(user, kPasswd, kGroup);
    ASSERT_FALSE(found) << user;
    EXPECT_EQ(found.error().message(), message);
  }
}

TEST(Identity, NumbersNeedNoFiles) {
  const auto found = find_identity("10:20", "", "");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->uid, 10U);
  EXPECT_EQ(found->gid, 20U);
}

}  // namespace
}  // namespace mybuild::sandbox
