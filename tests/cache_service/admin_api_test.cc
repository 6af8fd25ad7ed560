// SPDX-License-Identifier: Apache-2.0
// Tokens and namespaces over HTTP: nobody rules more than is his, or gives more than he has.
#include "builder/cache_server/service/admin_api.h"

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "tests/cache_service/exchange_driver.h"

#include <gmock/gmock.h>

namespace mybuild::cache_server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint8_t kAll = 15;

class AdminApiTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"team/main", "other"}) {
      ASSERT_TRUE(make_space(*meta_, name, ""));
    }
    root_ = {.token_id = "root", .space = std::string(kEverywhere), .scopes = kAll, .readable = {}};
    lead_ = {.token_id = "lead", .space = "team/main", .scopes = kAll, .readable = {"team/main"}};
  }
  Answer ask(const Caller& caller, const std::string& method, const std::string& path,
             const std::string& body = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.caller = caller;
    return drive(api_, std::move(request), body);
  }
  Caller holder(const Answer& made) {
    const std::string secret = parse_json(text_of(made)).value()["token"];
    return AccessControl(*meta_, clock_, false).identify("Bearer " + secret).value();
  }

  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<MetaStore> meta_ = open_sqlite_meta_store(dir_.path() + "/db").value();
  SystemClock clock_;
  AdminApi api_{*meta_, clock_};
  Caller root_;
  Caller lead_;
};

TEST_F(AdminApiTest, OnlyTokensWithTheScopeAreServed) {
  EXPECT_EQ(ask({}, "GET", "/admin/v1/tokens").status, 401);
  Caller writer = root_;
  writer.scopes = 7;
  EXPECT_EQ(ask(writer, "GET", "/admin/v1/tokens").status, 403);
}

TEST_F(AdminApiTest, WhereAnybodyReadsNobodyRules) {
  const Caller nobody = AccessControl(*meta_, clock_, true).identify("").value();
  const Answer answer = ask(nobody, "GET", "/admin/v1/tokens");
  EXPECT_EQ(answer.status, 401) << "a token would help";
  EXPECT_EQ(header_of(answer, "WWW-Authenticate"), "Basic realm=\"mybuild\"");
}

TEST_F(AdminApiTest, ADashIsTheCallersOwnNamespace) {
  const Answer made =
      ask(lead_, "POST", "/admin/v1/tokens", R"({"namespace":"-","scopes":["read"]})");
  ASSERT_EQ(made.status, 201) << text_of(made);
  EXPECT_EQ(holder(made).space, "team/main");
  EXPECT_EQ(ask(lead_, "PUT", "/admin/v1/namespaces/team/main/pr-2", R"({"parent":"-"})").status,
            200);
  const std::string body = R"({"since":"2020-01-01T00:00:00Z"})";
  EXPECT_EQ(ask(lead_, "POST", "/admin/v1/remove-records/-", body).status, 200);
  EXPECT_EQ(ask(lead_, "PUT", "/admin/v1/pins/-/" + Digest::of("x").str()).status, 404)
      << "there is no such record in it";
}

TEST_F(AdminApiTest, ANamespaceDoesNotLookLikeAnAddressOfTheRegistry) {
  for (const char* name : {"a/blobs/b", "x/tags/list", "a/manifests/b", "a/referrers/b", "blobs"}) {
    const Answer answer = ask(root_, "PUT", std::string("/admin/v1/namespaces/") + name, "{}");
    EXPECT_EQ(answer.status, 400) << name;
    EXPECT_THAT(text_of(answer), HasSubstr("would look like an address")) << name;
  }
  EXPECT_EQ(ask(root_, "PUT", "/admin/v1/namespaces/a/blobs2/tagsets", "{}").status, 200);
}

TEST_F(AdminApiTest, ALeadMakesABranchAndATokenForIt) {
  ASSERT_EQ(
      ask(lead_, "PUT", "/admin/v1/namespaces/team/main/pr-1", R"({"parent":"team/main"})").status,
      200);
  const Answer made =
      ask(lead_, "POST", "/admin/v1/tokens",
          R"({"namespace":"team/main/pr-1","scopes":["read","write"],"expires_in":3600})");
  ASSERT_EQ(made.status, 201) << text_of(made);
  const Caller branch = holder(made);
  EXPECT_TRUE(branch.may_write("team/main/pr-1"));
  EXPECT_TRUE(branch.may_read("team/main"));
  EXPECT_FALSE(branch.may_write("team/main"));
  EXPECT_FALSE(branch.has(Scope::Admin));
  const std::string list = text_of(ask(lead_, "GET", "/admin/v1/tokens"));
  EXPECT_THAT(list, HasSubstr("\"namespace\":\"team/main/pr-1\""));
  EXPECT_THAT(list, Not(HasSubstr("mbt_"))) << "no secret is shown again";
}

TEST_F(AdminApiTest, ATokenOfATokenEndsWithItAtTheLatest) {
  const Caller brief = holder(ask(
      root_, "POST", "/admin/v1/tokens",
      R"({"namespace":"team/main","scopes":["read","admin"],"expires_in":100,"note":"brief"})"));
  const auto end_of = [&](const std::string& note) {
    for (const TokenRow& token : meta_->access().tokens().value()) {
      if (token.note == note) {
        return token.expires.value();
      }
    }
    return Time();
  };
  const std::string common = R"({"namespace":"-","scopes":["read"],"note":)";
  for (const char* rest : {R"("ever"})", R"("long","expires_in":3600})"}) {
    EXPECT_EQ(ask(brief, "POST", "/admin/v1/tokens", common + rest).status, 201);
  }
  EXPECT_EQ(ask(brief, "POST", "/admin/v1/tokens", common + R"("short","expires_in":9})").status,
            201);
  EXPECT_EQ(end_of("ever"), end_of("brief"));
  EXPECT_EQ(end_of("long"), end_of("brief"));
  EXPECT_LT(end_of("short"), end_of("brief"));
}

TEST_F(AdminApiTest, ALeadRulesNothingElse) {
  EXPECT_EQ(
      ask(lead_, "POST", "/admin/v1/tokens", R"({"namespace":"other","scopes":["read"]})").status,
      403);
  EXPECT_EQ(ask(lead_, "POST", "/admin/v1/tokens", R"({"namespace":"*","scopes":["read"]})").status,
            403);
  EXPECT_EQ(ask(lead_, "PUT", "/admin/v1/namespaces/mine", "{}").status, 403);
  EXPECT_EQ(ask(lead_, "PUT", "/admin/v1/namespaces/x", R"({"parent":"other"})").status, 403);
  EXPECT_EQ(
      ask(lead_, "POST", "/admin/v1/remove-records/other", R"({"since":"2020-01-01T00:00:00Z"})")
          .status,
      403);
  const Answer theirs =
      ask(root_, "POST", "/admin/v1/tokens", R"({"namespace":"other","scopes":["read"]})");
  const std::string id = parse_json(text_of(theirs)).value()["id"];
  EXPECT_EQ(ask(lead_, "DELETE", "/admin/v1/tokens/" + id).status, 403);
  EXPECT_THAT(text_of(ask(lead_, "GET", "/admin/v1/tokens")), Not(HasSubstr(id)));
  EXPECT_THAT(text_of(ask(lead_, "GET", "/admin/v1/namespaces")), Not(HasSubstr("other")));
}

TEST_F(AdminApiTest, ALeadMakesNamespacesUnderHisOwnNameOnly) {
  for (const char* name : {"release", "team/pr-9", "other/x", "team/mainly"}) {
    EXPECT_EQ(
        ask(lead_, "PUT", std::string("/admin/v1/namespaces/") + name, R"({"parent":"team/main"})")
            .status,
        403)
        << name;
  }
}

TEST_F(AdminApiTest, ANamespaceTakesNobodysImages) {
  const Digest manifest = Digest::of("manifest");
  ASSERT_TRUE(meta_->repositories().link_blob("team/main", manifest, 10, clock_.now()));
  ASSERT_TRUE(meta_->repositories().put_manifest({.repository = "team/main/app/web",
                                                  .space = "team/main",
                                                  .digest = manifest,
                                                  .media_type = "m",
                                                  .size = 10,
                                                  .subject = std::nullopt,
                                                  .artifact_type = {},
                                                  .annotations = {},
                                                  .blobs = {},
                                                  .manifests = {}},
                                                 "v1", clock_.now()));
  for (const Caller& caller : {lead_, root_}) {
    EXPECT_EQ(ask(caller, "PUT", "/admin/v1/namespaces/team/main/app", R"({"parent":"team/main"})")
                  .status,
              409);
    EXPECT_EQ(
        ask(caller, "PUT", "/admin/v1/namespaces/team/main/app/web", R"({"parent":"team/main"})")
            .status,
        409);
  }
  EXPECT_EQ(
      ask(lead_, "PUT", "/admin/v1/namespaces/team/main/apple", R"({"parent":"team/main"})").status,
      200);
  EXPECT_EQ(ask(root_, "PUT", "/admin/v1/namespaces/team/main", "{}").status, 200)
      << "it is there already";
}

TEST_F(AdminApiTest, NobodyGivesAScopeThatHeHasNot) {
  Caller narrow = lead_;
  narrow.scopes = static_cast<std::uint8_t>(Scope::Read) | static_cast<std::uint8_t>(Scope::Admin);
  EXPECT_EQ(
      ask(narrow, "POST", "/admin/v1/tokens", R"({"namespace":"team/main","scopes":["write"]})")
          .status,
      403);
  EXPECT_EQ(
      ask(narrow, "POST", "/admin/v1/tokens", R"({"namespace":"team/main","scopes":["read"]})")
          .status,
      201);
}

TEST_F(AdminApiTest, ARevokedTokenEndsAtOnce) {
  const Answer made =
      ask(root_, "POST", "/admin/v1/tokens", R"({"namespace":"other","scopes":["read"]})");
  EXPECT_NE(holder(made).token_id, "");
  const std::string id = parse_json(text_of(made)).value()["id"];
  EXPECT_EQ(ask(root_, "DELETE", "/admin/v1/tokens/" + id).status, 200);
  EXPECT_EQ(holder(made).token_id, "");
  EXPECT_EQ(ask(root_, "DELETE", "/admin/v1/tokens/nobody").status, 404);
}

TEST_F(AdminApiTest, NamespacesShowTheKeyThatClientsPin) {
  EXPECT_THAT(text_of(ask(root_, "GET", "/admin/v1/namespaces")), HasSubstr("\"key\":\"ed25519:"));
}

TEST_F(AdminApiTest, BadInputIsSaidToBeBad) {
  for (const char* body :
       {"", "[]", "{", R"({"namespace":1})", R"({"namespace":"other","scopes":["root"]})",
        R"({"namespace":"other","scopes":[]})",
        R"({"namespace":"other","scopes":["read"],"expires_in":-1})",
        R"({"namespace":"other","scopes":["read"],"expires_in":99999999999999})"}) {
    EXPECT_EQ(ask(root_, "POST", "/admin/v1/tokens", body).status, 400) << body;
  }
  EXPECT_EQ(
      ask(root_, "POST", "/admin/v1/tokens", R"({"namespace":"no","scopes":["read"]})").status,
      404);
  EXPECT_EQ(ask(root_, "PUT", "/admin/v1/namespaces/Up", "{}").status, 400);
  EXPECT_EQ(ask(root_, "PUT", "/admin/v1/namespaces/a", R"({"parent":"no"})").status, 404);
  EXPECT_EQ(ask(root_, "PUT", "/admin/v1/pins/other/zz").status, 400);
  EXPECT_EQ(ask(root_, "PUT", "/admin/v1/pins/other/" + Digest::of("x").str()).status, 404);
  EXPECT_EQ(ask(root_, "POST", "/admin/v1/remove-records/other", R"({"since":"then"})").status,
            400);
  const Answer other_method = ask(root_, "PATCH", "/admin/v1/tokens");
  EXPECT_EQ(other_method.status, 405);
  EXPECT_EQ(header_of(other_method, "Allow"), "GET, POST");
  EXPECT_EQ(ask(root_, "GET", "/admin/v1/nothing").status, 404);
}

}  // namespace
}  // namespace mybuild::cache_server
