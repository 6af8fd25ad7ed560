// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/predicates.h"

#include <gtest/gtest.h>

namespace mybuild::frontend::checks {
namespace {

TEST(SecretNames, AreWordsBetweenUnderscores) {
  for (const char* name : {"apikey", "API_KEY", "DATABASE_PASSWORD", "secret_MESSAGE", "AUTH",
                           "my_pword_x", "aws_credentials", "_token_"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
  for (const char* name : {"", "MONKEY", "KEYBOARD", "PUBLIC_KEY", "password_file",
                           "AUTH_MODULE_VERSION", "SECRETS", "api-key"}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(Ports, SayWhatIsWrongWithThem) {
  EXPECT_TRUE(has_upper_protocol("80/TcP"));
  EXPECT_FALSE(has_upper_protocol("80/tcp"));
  EXPECT_FALSE(has_upper_protocol("80"));
  EXPECT_TRUE(names_host_port("5000:5000"));
  EXPECT_TRUE(names_host_port("[::1]:8080:8080"));
  EXPECT_FALSE(names_host_port("8000-8010/tcp"));
}

TEST(Closest, IsTwoChangesAwayAtMost) {
  const std::vector<std::string> names{"PATH", "DIR_ASSETS", "X"};
  EXPECT_EQ("DIR_ASSETS", closest("DIR_ASSET", names));
  EXPECT_EQ("PATH", closest("PAHT", names));
  EXPECT_EQ("X", closest("q", names));
  EXPECT_EQ("", closest("PATH", names));
  EXPECT_EQ("", closest("NOTHING_LIKE_IT", names));
}

TEST(IgnoredSources, WithoutAFileIgnoreNothing) {
  const IgnoredSources none({});
  EXPECT_FALSE(none.ignores("a"));
  EXPECT_FALSE(none.ignores("."));
}

TEST(IgnoredSources, AreThemselvesOrBelowAPattern) {
  const IgnoredSources ignored({"sub", "*.log"});
  EXPECT_TRUE(ignored.ignores("sub"));
  EXPECT_TRUE(ignored.ignores("./sub/a"));
  EXPECT_TRUE(ignored.ignores("/sub/"));
  EXPECT_TRUE(ignored.ignores("x.log"));
  EXPECT_FALSE(ignored.ignores("a/x.log"));
  EXPECT_FALSE(ignored.ignores("."));
}

TEST(IgnoredSources, TheWholeContextIsIgnoredOnlyByAPatternForAll) {
  EXPECT_TRUE(IgnoredSources({"*"}).ignores("."));
  EXPECT_TRUE(IgnoredSources({"**"}).ignores("/"));
  EXPECT_FALSE(IgnoredSources({".*"}).ignores("."));
  EXPECT_FALSE(IgnoredSources({"*", "!keep"}).ignores("."));
}

TEST(IgnoredSources, AreNotKnownWhereAPatternBringsFilesBack) {
  const IgnoredSources one({"sub", "!sub/a.txt"});
  EXPECT_FALSE(one.ignores("sub"));
  EXPECT_FALSE(one.ignores("sub/a.txt"));
  EXPECT_FALSE(one.ignores("sub/b.txt"));
  EXPECT_FALSE(IgnoredSources({"sub", "!other.txt"}).ignores("sub/a.txt"));
}

}  // namespace
}  // namespace mybuild::frontend::checks
