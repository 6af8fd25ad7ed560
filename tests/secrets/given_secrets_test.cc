// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/given_secrets.h"

#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace mybuild::secrets {
namespace {

using testing::HasSubstr;

class GivenSecretsTest : public testing::Test {
 protected:
  GivenSecretsTest() : dir_(std::move(TempDir::create()).value()) {}

  std::string path(const std::string& name) const { return dir_.path() + "/" + name; }
  std::string put(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(write_file(path(name), text));
    return path(name);
  }
  std::string value(const std::vector<SecretSpec>& specs, const std::string& id) const {
    const auto secrets = open_secrets(specs);
    if (!secrets) {
      return "open: " + secrets.error().message();
    }
    const auto got = (*secrets)->get(id, cancel_);
    return got ? got->value_or("(none)") : "get: " + got.error().message();
  }

  TempDir dir_;
  Cancel cancel_;
};

TEST_F(GivenSecretsTest, AFileOrAVariableGivesTheValueAndTheVariableWins) {
  const std::string file = put("f", "from file\n");
  ::setenv("MYBUILD_TEST_SECRET", "from variable", 1);
  EXPECT_EQ(value({{.id = "a", .file = file, .env = ""}}, "a"), "from file\n");
  EXPECT_EQ(value({{.id = "a", .file = "", .env = "MYBUILD_TEST_SECRET"}}, "a"), "from variable");
  EXPECT_EQ(value({{.id = "a", .file = file, .env = "MYBUILD_TEST_SECRET"}}, "a"), "from variable");
  EXPECT_EQ(value({{.id = "MYBUILD_TEST_SECRET", .file = "", .env = ""}}, "MYBUILD_TEST_SECRET"),
            "from variable");
  EXPECT_EQ(value({{.id = file, .file = "", .env = ""}}, file), "from file\n");
  EXPECT_EQ(value({{.id = "a", .file = "", .env = "MYBUILD_NO_SUCH_VARIABLE"}}, "a"), "");
  ::unsetenv("MYBUILD_TEST_SECRET");
}

TEST_F(GivenSecretsTest, OfSeveralWithOneIdTheLastCountsAndUnknownOnesAreNone) {
  const std::vector<SecretSpec> specs = {{.id = "a", .file = put("1", "one"), .env = ""},
                                         {.id = "a", .file = put("2", "two"), .env = ""}};
  EXPECT_EQ(value(specs, "a"), "two");
  EXPECT_EQ(value(specs, "b"), "(none)");
}

TEST_F(GivenSecretsTest, WhatCannotBeReadIsSaidAtOnce) {
  EXPECT_THAT(value({{.id = "a", .file = path("no"), .env = ""}}, "a"),
              testing::StartsWith("open: secret a: "));
  EXPECT_THAT(value({{.id = "a", .file = dir_.path(), .env = ""}}, "a"),
              HasSubstr("is a directory"));
  const std::string most = put("most", std::string(kMaxSecret, 'x'));
  EXPECT_EQ(value({{.id = "a", .file = most, .env = ""}}, "a").size(), kMaxSecret);
  const std::string more = put("more", std::string(kMaxSecret + 1, 'x'));
  EXPECT_EQ(value({{.id = "a", .file = more, .env = ""}}, "a"),
            "open: secret a: too big. max size 500KB");
  EXPECT_EQ(value({{.id = "a", .file = "/dev/zero", .env = ""}}, "a"),
            "get: secret a: too big. max size 500KB");
}

TEST_F(GivenSecretsTest, APipeIsReadOnceForAllWhoAsk) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto secrets = open_secrets({{.id = "a", .file = path("pipe"), .env = ""}});
  ASSERT_TRUE(secrets) << secrets.error().message();
  std::thread writer([this] {
    std::ofstream out(path("pipe"));
    out << "through ";
    out.flush();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    out << "a pipe";
  });
  for (int i = 0; i < 3; ++i) {
    const auto got = (*secrets)->get("a", cancel_);
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->value_or(""), "through a pipe");
  }
  writer.join();
}

TEST_F(GivenSecretsTest, FilesAndVariablesAreAtHandAndPipesAreNot) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto secrets = open_secrets({{.id = "file", .file = put("f", "text"), .env = ""},
                                     {.id = "pipe", .file = path("pipe"), .env = ""},
                                     {.id = "variable", .file = "", .env = "MYBUILD_NO_SUCH"}});
  ASSERT_TRUE(secrets);
  EXPECT_EQ((*secrets)->ids_at_hand(), (std::vector<std::string>{"file", "variable"}));
  EXPECT_EQ((*secrets)->ids().size(), 3U);
}

TEST_F(GivenSecretsTest, WaitingForAPipeEndsWithTheBuild) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto secrets = open_secrets({{.id = "a", .file = path("pipe"), .env = ""}});
  ASSERT_TRUE(secrets);
  cancel_.request(Error(ErrorKind::Cancelled, "enough"));
  const auto got = (*secrets)->get("a", cancel_);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind(), ErrorKind::Cancelled);
}

}  // namespace
}  // namespace mybuild::secrets
