// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/front.h"

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/cache_service/exchange_driver.h"

namespace mybuild::cache_server {
namespace {

/// Says its name and who asked.
class Named final : public Handler {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::unique_ptr<Exchange> begin(Request request) override {
    return answer_with([text = name_ + " for " + request.caller.token_id] {
      return Outcome(json_answer(200, text));
    });
  }

 private:
  const std::string name_;
};

class FrontTest : public testing::Test {
 protected:
  Answer get(const std::string& path, const std::string& authorization = {}) {
    return ask("GET", path, authorization);
  }
  Answer ask(const std::string& method, const std::string& path,
             const std::string& authorization = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers["authorization"] = authorization;
    return drive(front_, std::move(request));
  }

  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<MetaStore> meta_ = open_sqlite_meta_store(dir_.path() + "/db").value();
  SystemClock clock_;
  AccessControl access_{*meta_, clock_, false};
  Metrics metrics_;
  Named registry_{"registry"};
  Named records_{"records"};
  Named admin_{"admin"};
  Status ready_;
  Front front_{{.access = access_,
                .metrics = metrics_,
                .registry = registry_,
                .records = records_,
                .admin = admin_,
                .is_ready = [this] { return ready_; }}};
};

TEST_F(FrontTest, MonitorsNeedNoToken) {
  EXPECT_EQ(text_of(get("/healthz")), "ok\n");
  EXPECT_EQ(get("/readyz").status, 200);
  ready_ = Error(ErrorKind::Unavailable, "the database is locked");
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(text_of(get("/readyz")), "the database is locked\n");
  EXPECT_EQ(get("/healthz").status, 200) << "a restart would not help";
  metrics_.add("x_total", "");
  EXPECT_NE(text_of(get("/metrics")).find("x_total 1\n"), std::string::npos);
}

TEST_F(FrontTest, MonitorsChangeNothing) {
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_EQ(ask("HEAD", path).status, 200) << path;
    for (const char* method : {"PUT", "POST", "DELETE", "OPTIONS"}) {
      const Answer answer = ask(method, path);
      EXPECT_EQ(answer.status, 405) << method << " " << path;
      EXPECT_EQ(header_of(answer, "Allow"), "GET, HEAD") << method << " " << path;
    }
  }
}

TEST_F(FrontTest, ATokenThatEndsWhileABodyComesChangesNothing) {
  ASSERT_TRUE(make_space(*meta_, "main", ""));
  const MadeToken token =
      make_token(*meta_, {.space = "main", .scopes = 15, .note = {}, .expires = std::nullopt},
                 clock_.now())
          .value();
  const auto begin = [&](const std::string& method, const std::string& path) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers["authorization"] = "Bearer " + token.secret;
    return front_.begin(std::move(request));
  };
  const auto upload = begin("PUT", "/v2/main/blobs/uploads/x");
  const auto publish = begin("POST", "/cache/v1/publish/main");
  EXPECT_EQ(std::get<Answer>(begin("PUT", "/v2/main/blobs/uploads/y")->finish()).status, 200);
  ASSERT_TRUE(meta_->access().revoke_token(token.id, clock_.now()).value());
  EXPECT_EQ(std::get<Answer>(upload->finish()).status, 401);
  EXPECT_EQ(std::get<Answer>(publish->finish()).status, 401);
}

TEST_F(FrontTest, AnAddressBelongsToOneHandlerWhichHearsWhoAsks) {
  ASSERT_TRUE(make_space(*meta_, "main", ""));
  const MadeToken token =
      make_token(*meta_, {.space = "main", .scopes = 1, .note = {}, .expires = std::nullopt},
                 clock_.now())
          .value();
  EXPECT_EQ(text_of(get("/v2/", "Bearer " + token.secret)), "registry for " + token.id);
  EXPECT_EQ(text_of(get("/v2/x/blobs/y")), "registry for ");
  EXPECT_EQ(text_of(get("/cache/v1/lookup/main")), "records for ");
  EXPECT_EQ(text_of(get("/admin/v1/tokens")), "admin for ");
  for (const char* path : {"/", "/v2x", "/v1/", "/cache", "/healthz/", "/admin/v10"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

}  // namespace
}  // namespace mybuild::cache_server
