// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/service.h"

#include "builder/cache_server/store/repository_tables.h"
#include "tests/cache_service/exchange_driver.h"

#include <gmock/gmock.h>

namespace mybuild::cache_server {
namespace {

using testing::HasSubstr;

/// A server that may keep 10,000 bytes.
class ServiceTest : public testing::Test {
 protected:
  Request request(const std::string& method, const std::string& path) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers = {{"authorization", "Bearer " + token_}};
    return request;
  }
  Answer upload(const std::string& bytes) {
    Request post = request("POST", "/v2/main/blobs/uploads/");
    post.query = {{"digest", Digest::of(bytes).str()}};
    return drive(service_.front(), std::move(post), bytes);
  }
  /// As if all of them had come days ago.
  void keep_old(int count) {
    for (int i = 0; i < count; ++i) {
      const Digest blob = Digest::of(std::to_string(i));
      ASSERT_TRUE(state_->meta().repositories().link_blob(
          "main", blob, 1'000, SystemClock().now() - std::chrono::hours(100)));
    }
  }
  std::uint64_t kept() { return state_->meta().repositories().linked_bytes().value(); }

  const TempDir dir_ = TempDir::create("/dev/shm").value();
  const std::unique_ptr<ServerState> state_ = ServerState::open(dir_.path() + "/state").value();
  const std::string token_ = state_->local_token(SystemClock().now()).value();
  ServeOptions options_ = [this] {
    ServeOptions options;
    options.directory = dir_.path() + "/state";
    options.max_size = 10'000;
    return options;
  }();
  Service service_{*state_, options_, [](const std::string&) {}};
};

TEST_F(ServiceTest, WhoComesToAFullCacheNeedNotWaitForTheUpkeep) {
  keep_old(10);
  EXPECT_EQ(upload(std::string(900, 'x')).status, 201);
  EXPECT_EQ(kept(), 9'900U) << "one of the ten has gone";
}

TEST_F(ServiceTest, ALayerThatIsLargerThanWhatIsLeftMakesRoomForItself) {
  keep_old(8);
  EXPECT_EQ(upload(std::string(5'000, 'x')).status, 201);
  EXPECT_EQ(kept(), 10'000U);
}

TEST_F(ServiceTest, OneThatIsLargerThanTheCacheTakesNothingFromOthers) {
  keep_old(8);
  EXPECT_EQ(upload(std::string(10'001, 'x')).status, 507);
  EXPECT_EQ(kept(), 8'000U);
}

TEST_F(ServiceTest, FullOfWhatIsFreshItRefusesAndCanStillBeReadFrom) {
  for (char each = '0'; each <= '9'; ++each) {
    ASSERT_EQ(upload(std::string(1'000, each)).status, 201);
  }
  const Answer refused = upload(std::string(1'000, 'x'));
  EXPECT_EQ(refused.status, 507);
  EXPECT_THAT(text_of(refused), HasSubstr("the cache is full"));
  EXPECT_EQ(drive(service_.front(), request("GET", "/readyz")).status, 200);
  EXPECT_THAT(text_of(drive(service_.front(), request("GET", "/metrics"))),
              HasSubstr("\nmybuild_serve_room_bytes 0\n"));
}

TEST_F(ServiceTest, ANamespaceAtItsShareIsRefusedAndOthersAreNot) {
  options_.max_size_per_namespace = 3'000;
  Service shared(*state_, options_, [](const std::string&) {});
  ASSERT_TRUE(make_space(state_->meta(), "team", ""));
  const auto upload_to = [&](const std::string& space, const std::string& bytes) {
    Request post = request("POST", "/v2/" + space + "/blobs/uploads/");
    post.query = {{"digest", Digest::of(bytes).str()}};
    return drive(shared.front(), std::move(post), bytes);
  };
  ASSERT_EQ(upload_to("main", std::string(2'000, 'a')).status, 201);
  const Answer refused = upload_to("main", std::string(2'000, 'b'));
  EXPECT_EQ(refused.status, 507);
  EXPECT_THAT(text_of(refused), HasSubstr("main has its share"));
  EXPECT_EQ(upload_to("team", std::string(2'000, 'b')).status, 201);
}

TEST_F(ServiceTest, ANamespaceMakesRoomInItsShareByWhatItHasItself) {
  options_.max_size_per_namespace = 3'500;
  Service shared(*state_, options_, [](const std::string&) {});
  keep_old(3);
  Request post = request("POST", "/v2/main/blobs/uploads/");
  const std::string bytes(2'000, 'a');
  post.query = {{"digest", Digest::of(bytes).str()}};
  EXPECT_EQ(drive(shared.front(), std::move(post), bytes).status, 201);
  EXPECT_EQ(kept(), 3'000U);
}

}  // namespace
}  // namespace mybuild::cache_server
