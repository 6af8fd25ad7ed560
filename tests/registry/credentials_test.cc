// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/credentials/auth_file.h"
#include "builder/registry/credentials/store.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace mybuild::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] = R"({
  "auths": {
    "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
    "reg.example:5000": {"username": "u", "password": "p:q"},
    "https://old.example/v1/": {"auth": "b2xkOnB3AAA="},
    "token.example": {"auth": "bmFtZTo=", "identitytoken": "T"},
    "empty.example": {},
    "quay.example": {"auth": "YWxsOnB3"},
    "quay.example/team": {"auth": "dGVhbTpwdw=="},
    "part.example/team": {"auth": "dGVhbTpwdw=="}
  }
})";

class Credentials : public testing::Test {
 protected:
  Credentials() : dir_(TempDir::create().value()) {
    places_.docker = dir_.path() + "/docker/config.json";
    places_.containers = {dir_.path() + "/auth.json"};
  }
  void write(const std::string& name, std::string_view text, mode_t mode = 0644) {
    ASSERT_TRUE(make_dirs(dir_.path() + "/docker"));
    ASSERT_TRUE(write_file(dir_.path() + "/" + name, text, mode));
  }
  Result<std::optional<Credential>> find(const std::string& registry,
                                         const std::string& repository = "r") {
    return make_credential_store(places_)->find(registry, repository, Cancel());
  }
  std::string user(const std::string& registry, const std::string& repository = "r") {
    const auto found = find(registry, repository);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? (*found)->username : "";
  }
  /// A helper that keeps one login in a file beside it.
  void install_helper(const std::string& name, const std::string& script) {
    write("docker-credential-" + name, "#!/bin/sh\n" + script, 0755);
    ASSERT_EQ(::setenv("PATH", (dir_.path() + ":/usr/bin:/bin").c_str(), 1), 0);
  }

  TempDir dir_;
  CredentialPlaces places_;
};

TEST_F(Credentials, DockersFileIsReadAsDockerDoes) {
  write("docker/config.json", kConfig);
  EXPECT_EQ(find("docker.io").value(), (Credential{"hub", "pw", ""}));
  EXPECT_EQ(find("reg.example:5000").value(), (Credential{"u", "p:q", ""}));
  EXPECT_EQ(find("old.example").value(), (Credential{"old", "pw", ""}));
  EXPECT_EQ(find("token.example").value(), (Credential{"name", "", "T"}));
  EXPECT_EQ(find("reg.example").value(), std::nullopt);
  EXPECT_EQ(find("empty.example").value(), std::nullopt);
}

TEST_F(Credentials, OfKeysWithAPathTheLongestCountsAndOnlyBelowIt) {
  write("auth.json", kConfig);
  EXPECT_EQ(user("quay.example", "team/app"), "team");
  EXPECT_EQ(user("quay.example", "teams/app"), "all");
  EXPECT_EQ(user("part.example", "team"), "team");
  EXPECT_EQ(user("part.example", "other"), "");
}

TEST_F(Credentials, TheGivenTextComesFirstThenDockersFileThenContainers) {
  places_.given = R"({"auths":{"a":{"auth":"Z2l2ZW46cHc="}}})";
  write("docker/config.json",
        R"({"auths":{"a":{"auth":"ZmlsZTpwdw=="},"b":{"auth":"ZmlsZTpwdw=="}}})");
  write("auth.json", R"({"auths":{"b":{"auth":"b3RoZXI6cHc="},"c":{"auth":"b3RoZXI6cHc="}}})");
  EXPECT_EQ(user("a"), "given");
  EXPECT_EQ(user("b"), "file");
  EXPECT_EQ(user("c"), "other");
  EXPECT_EQ(user("d"), "");
}

TEST_F(Credentials, ABrokenFileIsNamedAndItsSecretsAreNot) {
  for (const char* text : {"{", R"({"auths":{"h":{"auth":"c2VjcmV0"}}})", R"({"auths":[]})",
                           R"({"auths":{"h":{"auth":7}}})", R"({"credHelpers":{"h":1}})"}) {
    write("docker/config.json", text);
    const auto found = find("h");
    ASSERT_FALSE(found) << text;
    EXPECT_THAT(found.error().message(), HasSubstr("docker/config.json"));
    EXPECT_THAT(found.error().message(), Not(HasSubstr("secret")));
  }
}

TEST_F(Credentials, AHelperIsAskedOnceForItsRegistryOnly) {
  install_helper("one", "echo \"$1 $(cat)\" >>" + dir_.path() +
                            "/calls\necho '{\"Username\":\"me\",\"Secret\":\"s\"}'\n");
  write("docker/config.json",
        R"({"credHelpers":{"h.example":"one"},"auths":{"g.example":{"auth":"ZmlsZTpwdw=="}}})");
  const auto store = make_credential_store(places_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(store->find("h.example", "r", Cancel()).value(), (Credential{"me", "s", ""}));
  }
  EXPECT_EQ(store->find("g.example", "r", Cancel()).value()->username, "file");
  EXPECT_EQ(read_file(dir_.path() + "/calls").value(), "get h.example\n");
}

TEST_F(Credentials, AHelpersNoIsNoFailureButItsFailureIs) {
  install_helper("two",
                 "read server; case $server in\n*none*) echo credentials not found in native "
                 "keychain; exit 1;;\n"
                 "*token*) echo '{\"Username\":\"<token>\",\"Secret\":\"T\"}';;\n"
                 "*) echo keyring is locked; exit 1;; esac\n");
  write("docker/config.json", R"({"credsStore":"two"})");
  EXPECT_EQ(find("none.example").value(), std::nullopt);
  EXPECT_EQ(find("token.example").value(), (Credential{"", "", "T"}));
  const auto locked = find("docker.io");
  ASSERT_FALSE(locked);
  EXPECT_THAT(locked.error().message(),
              HasSubstr("docker-credential-two get failed: keyring is locked"));
}

TEST_F(Credentials, AMissingHelperIsNamed) {
  for (const char* name : {"nowhere", "../../bin/sh", ""}) {
    write("docker/config.json", fmt::format(R"({{"credHelpers":{{"h":"{}"}}}})", name));
    const auto found = find("h");
    EXPECT_EQ(found.has_value(), std::string_view(name).empty()) << name;
    EXPECT_TRUE(found || !found.error().hint().empty());
  }
}

TEST_F(Credentials, ALoginIsWrittenWithoutHarmToTheRest) {
  write("docker/config.json",
        R"({"psFormat":"x","auths":{"b":{"auth":"ZmlsZTpwdw==","z":1}},"a":[1,2]})");
  const auto stored = store_login(places_, "docker.io", {"u", "p", ""}, Cancel());
  ASSERT_TRUE(stored) << stored.error().message();
  EXPECT_EQ(stored->path, places_.docker);
  EXPECT_EQ(read_file(places_.docker).value(),
            "{\n\t\"psFormat\": \"x\",\n\t\"auths\": {\n\t\t\"b\": {\n\t\t\t\"auth\": "
            "\"ZmlsZTpwdw==\",\n\t\t\t\"z\": 1\n\t\t},\n\t\t\"https://index.docker.io/v1/\": "
            "{\n\t\t\t\"auth\": \"dTpw\"\n\t\t}\n\t},\n\t\"a\": [\n\t\t1,\n\t\t2\n\t]\n}\n");
  EXPECT_EQ(sys::stat_at(AT_FDCWD, places_.docker).value().st_mode & 0777, 0600u);
  EXPECT_TRUE(erase_login(places_, "docker.io", Cancel()).value());
  EXPECT_FALSE(erase_login(places_, "docker.io", Cancel()).value());
  EXPECT_EQ(user("docker.io"), "");
  EXPECT_EQ(user("b"), "file");
}

TEST_F(Credentials, ALoginMakesTheFileAndFollowsALink) {
  ASSERT_TRUE(store_login(places_, "h", {"u", "p", ""}, Cancel()));
  EXPECT_EQ(user("h"), "u");
  const std::string real = dir_.path() + "/real.json";
  ASSERT_TRUE(sys::rename_at(AT_FDCWD, places_.docker, AT_FDCWD, real));
  ASSERT_TRUE(sys::symlink_at(real, AT_FDCWD, places_.docker));
  ASSERT_TRUE(store_login(places_, "g", {"v", "", "T"}, Cancel()));
  EXPECT_TRUE(S_ISLNK(sys::lstat_at(AT_FDCWD, places_.docker).value().st_mode));
  EXPECT_EQ(user("h"), "u");
  EXPECT_EQ(find("g").value(), (Credential{"v", "", "T"}));
}

TEST_F(Credentials, ALoginGoesToTheHelperWhereThereIsOne) {
  install_helper("keep", "cat >" + dir_.path() + "/kept\n");
  write("docker/config.json", R"({"credsStore":"keep"})");
  const auto stored = store_login(places_, "h", {"u", "p", ""}, Cancel());
  ASSERT_TRUE(stored) << stored.error().message();
  EXPECT_EQ(stored->helper, "keep");
  EXPECT_EQ(read_file(dir_.path() + "/kept").value(),
            R"({"Secret":"p","ServerURL":"h","Username":"u"})");
  EXPECT_THAT(read_file(places_.docker).value(), Not(HasSubstr("auth\"")));
}

TEST_F(Credentials, ABrokenFileIsNotOverwritten) {
  write("docker/config.json", "{ my notes");
  EXPECT_FALSE(store_login(places_, "h", {"u", "p", ""}, Cancel()));
  EXPECT_EQ(read_file(places_.docker).value(), "{ my notes");
}

}  // namespace
}  // namespace mybuild::registry
