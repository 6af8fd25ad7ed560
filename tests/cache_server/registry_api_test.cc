// SPDX-License-Identifier: Apache-2.0
// Who may ask for what, and which address means what (distribution spec 1.1, end-1).
#include "snapshotter/base/base64.h"
#include "tests/cache_server/registry_fixture.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

namespace mybuild::cache_server {
namespace {

constexpr std::uint8_t kRead = 1;
constexpr std::uint8_t kWrite = 2;
constexpr char kBearer[] = R"(Bearer realm="http://cache:5050/v2/token",service="mybuild")";

using ::testing::HasSubstr;

class Registry : public RegistryFixture {};

TEST_F(Registry, SaysThatItIsOne) {
  for (const char* path : {"/v2/", "/v2"}) {
    const Reply reply = ask("GET", path);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("Docker-Distribution-API-Version"), "registry/2.0");
  }
}

TEST_F(Registry, AsksForATokenWhateverTheAddress) {
  caller_ = Caller();
  const std::string digest = Digest::of("x").str();
  for (const std::string& path :
       {std::string("/v2/"), std::string("/v2/_catalog"), "/v2/team/main/app/blobs/" + digest,
        std::string("/v2/team/main/app/manifests/v1"), std::string("/v2/NO NAME/tags/list"),
        std::string("/v2/nonsense")}) {
    const Reply reply = ask("GET", path);
    EXPECT_EQ(reply.status, 401) << path;
    EXPECT_EQ(reply.code, "UNAUTHORIZED") << path;
    EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Basic realm=\"mybuild\"") << path;
  }
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 401);
}

TEST_F(Registry, WritesOnlyToTheNamespaceOfTheToken) {
  be("team/pr-12");
  const std::string digest = Digest::of("x").str();
  const std::pair<const char*, std::string> writes[] = {
      {"POST", "blobs/uploads/"},    {"POST", "blobs/uploads/?digest=" + digest},
      {"PATCH", "blobs/uploads/1"},  {"PUT", "blobs/uploads/1?digest=" + digest},
      {"DELETE", "blobs/uploads/1"}, {"GET", "blobs/uploads/1"},
      {"DELETE", "blobs/" + digest}, {"PUT", "manifests/v1"},
      {"DELETE", "manifests/v1"},    {"DELETE", "manifests/" + digest}};
  for (const char* name : {"team/main/app", "other", "no/namespace"}) {
    for (const auto& [method, rest] : writes) {
      const Reply reply = ask(method, fmt::format("/v2/{}/{}", name, rest), "{}");
      EXPECT_EQ(reply.status, 403) << method << " " << name << " " << rest;
      EXPECT_EQ(reply.code, "DENIED");
    }
  }
  EXPECT_EQ(ask("POST", "/v2/team/pr-12/app/blobs/uploads/").status, 202);
  EXPECT_EQ(ask("POST", "/v2/team/pr-12/blobs/uploads/").status, 202) << "the namespace itself";
}

TEST_F(Registry, AReadingTokenDoesNotWriteAndAWritingOneDoesNotRead) {
  be("team/main", kRead);
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 403);
  be("team/main", kWrite);
  EXPECT_EQ(ask("GET", "/v2/team/main/app/tags/list").status, 403);
}

TEST_F(Registry, WhereAnybodyReadsAWriterIsAskedForAToken) {
  serve(true);
  push_blob("{}");
  ASSERT_EQ(put_manifest("v1", image({})).status, 201);
  be("*", kRead, std::string(kAnonymous));
  EXPECT_EQ(ask("GET", "/v2/team/main/app/manifests/v1").status, 200);
  Request write = request("POST", "/v2/team/main/app/blobs/uploads/");
  write.host = "cache:5050";
  const Reply reply = finish(*api_->begin(std::move(write)));
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.headers.at("WWW-Authenticate"), kBearer);
}

TEST_F(Registry, WhereAnybodyReadsClientsAreLedToATokenOfTheirOwnOrToNobodys) {
  serve(true);
  be("*", kRead, std::string(kAnonymous));
  Request ping = request("GET", "/v2/");
  ping.host = "cache:5050";
  EXPECT_EQ(finish(*api_->begin(ping)).headers.at("WWW-Authenticate"), kBearer);
  ping.headers = {{"x-forwarded-proto", "https"}};
  EXPECT_THAT(finish(*api_->begin(ping)).headers.at("WWW-Authenticate"),
              HasSubstr("\"https://cache:5050/"))
      << "a secret is not sent past the proxy";
  ping.host = "a\", x=\"";
  EXPECT_EQ(finish(*api_->begin(ping)).headers.at("WWW-Authenticate"), "Basic realm=\"mybuild\"");
  EXPECT_EQ(ask("GET", "/v2/", "", {{"authorization", "Bearer anonymous"}}).status, 200);
  const Reply nobodys = ask("GET", "/v2/token?service=mybuild&scope=repository:x:pull");
  EXPECT_EQ(nobodys.body, R"({"expires_in":3600,"token":"anonymous"})");
  be("team/main");
  const std::string basic = "Basic " + base64_encode("me:mbt_secret");
  EXPECT_EQ(ask("GET", "/v2/token", "", {{"authorization", basic}}).body,
            R"({"expires_in":3600,"token":"mbt_secret"})");
  EXPECT_EQ(ask("POST", "/v2/token", "", {{"authorization", basic}}).status, 405);
  caller_ = Caller();
  EXPECT_EQ(ask("GET", "/v2/token", "", {{"authorization", basic}}).status, 401);
}

TEST_F(Registry, ElsewhereThereIsNoOtherToken) {
  EXPECT_EQ(ask("GET", "/v2/token").status, 404);
  EXPECT_EQ(ask("GET", "/v2/").status, 200);
}

TEST_F(Registry, ARepositoryThatOneMayNotReadIsNotThere) {
  const std::string digest = push_blob("{}").str();
  ASSERT_EQ(put_manifest("v1", image({})).status, 201);
  be("other");
  for (const std::string& rest : {std::string("manifests/v1"), std::string("tags/list"),
                                  "blobs/" + digest, "referrers/" + digest}) {
    const Reply reply = ask("GET", "/v2/team/main/app/" + rest);
    EXPECT_EQ(reply.status, 404) << rest;
    EXPECT_EQ(reply.code, "NAME_UNKNOWN") << rest;
  }
}

TEST_F(Registry, AChildReadsItsParentsAndNotTheReverse) {
  push_blob("{}");
  ASSERT_EQ(put_manifest("v1", image({})).status, 201);
  be("team/pr-12");
  EXPECT_EQ(ask("GET", "/v2/team/main/app/manifests/v1").status, 200);
  push_blob("of the branch", "team/pr-12/app");
  be("team/main");
  EXPECT_EQ(ask("GET", "/v2/team/pr-12/app/blobs/" + Digest::of("of the branch").str()).status,
            404);
}

TEST_F(Registry, ATokenThatIsGoodEverywhereWritesWhereNoNamespaceIs) {
  be("*");
  push_blob("{}", "busybox");
  EXPECT_EQ(put_manifest("v1", image({}), "", "busybox").status, 201);
  be("other");
  EXPECT_EQ(ask("GET", "/v2/busybox/manifests/v1").status, 200) << "everybody reads it";
}

TEST_F(Registry, RefusesNamesThatAreNone) {
  be("*");
  for (const char* name : {"UPPER", "a//b", "a/", "../etc", "a/../b", "a b", "_x", ".", "a_",
                           "a/-b", "%2e%2e", "a\\b"}) {
    for (const char* rest : {"tags/list", "manifests/v1", "blobs/sha256:0", "blobs/uploads/"}) {
      const Reply reply = ask("GET", fmt::format("/v2/{}/{}", name, rest));
      EXPECT_EQ(reply.status, 400) << name << " " << rest;
      EXPECT_EQ(reply.code, "NAME_INVALID") << name << " " << rest;
    }
  }
  EXPECT_EQ(ask("GET", "/v2/" + std::string(256, 'a') + "/tags/list").code, "NAME_INVALID");
}

TEST_F(Registry, ReadsAPathFromItsEnd) {
  be("*");
  for (const char* name : {"blobs", "a/blobs/uploads", "manifests/tags", "a/manifests", "tags/list",
                           "a/blobs/b", "x/tags/list", "a/manifests/b", "a/referrers/b"}) {
    push_blob("{}", name);
    ASSERT_EQ(put_manifest("list", image({}), "", name).status, 201) << name;
    EXPECT_EQ(ask("GET", fmt::format("/v2/{}/tags/list", name)).status, 200) << name;
    EXPECT_EQ(ask("GET", fmt::format("/v2/{}/manifests/list", name)).status, 200) << name;
  }
}

TEST_F(Registry, ServesNothingElse) {
  for (const char* path : {"/v2/x", "/v2/x/y/z", "/v2//", "/v2/tags/list", "/v2/manifests/x",
                           "/v2/_catalog/x", "/v2/team/main/tags/list/"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(Registry, SaysWhichMethodsAnAddressTakes) {
  const std::string digest = Digest::of("x").str();
  for (const std::string& rest : {"blobs/" + digest, std::string("tags/list"),
                                  "referrers/" + digest, std::string("manifests/v1")}) {
    const Reply reply = ask("POST", "/v2/team/main/app/" + rest);
    EXPECT_EQ(reply.status, 405) << rest;
    EXPECT_EQ(reply.code, "UNSUPPORTED");
    EXPECT_NE(reply.headers.at("Allow").find("GET"), std::string::npos);
  }
  EXPECT_EQ(ask("GET", "/v2/team/main/app/blobs/uploads/").status, 405);
  EXPECT_EQ(ask("POST", "/v2/_catalog").status, 405);
  EXPECT_EQ(ask("PUT", "/v2/").status, 405);
  EXPECT_EQ(ask("HEAD", "/v2/").status, 200);
}

}  // namespace
}  // namespace mybuild::cache_server
