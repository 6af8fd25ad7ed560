// SPDX-License-Identifier: Apache-2.0
// Steps that several machines want at once.
#include "tests/cache_client/world.h"

#include <atomic>
#include <thread>

namespace mybuild::cache_client {
namespace {

using registry::Request;
using registry::Response;
using Answer = std::optional<Result<Response>>;

class LocalClaims final : public solver::StepClaims {
 public:
  explicit LocalClaims(const bool& waits) : waits_(waits) {}
  Result<std::unique_ptr<solver::StepClaim>> claim(const solver::ClaimedStep&, Lane,
                                                   const std::function<void()>& on_wait,
                                                   const Cancel&) override {
    if (waits_) {
      on_wait();
    }
    return std::make_unique<solver::StepClaim>();
  }

 private:
  const bool& waits_;
};

class ServerClaimsTest : public CacheClientTest {
 protected:
  ServerClaimsTest() { client(); }
  std::unique_ptr<solver::StepClaim> claim(const std::string& name) {
    if (claims == nullptr) {
      claims = client_->claims(std::make_unique<LocalClaims>(local_waits),
                               [](const solver::ContentKey&) { return true; });
    }
    const solver::ClaimedStep step{.definition = {Digest::of("step " + name)},
                                   .content = {Digest::of("content " + name)}};
    auto claimed = claims->claim(
        step, Lane::Exec, [this] { ++waits; }, cancel);
    return claimed ? std::move(claimed).value() : nullptr;
  }
  void wait_for_release(std::size_t count) {
    for (int i = 0; i < 5000 && server.asked("release") < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_GE(server.asked("release"), count);
  }
  bool local_waits = false;
  std::unique_ptr<solver::StepClaims> claims;
  std::atomic<int> waits{0};
};

TEST_F(ServerClaimsTest, AFreeStepIsOursUntilItHasEnded) {
  auto held = claim("one");
  ASSERT_TRUE(held);
  EXPECT_EQ(server.claims.size(), 1U);
  EXPECT_EQ(waits, 0);
  held.reset();  // the step failed: nothing was recorded
  wait_for_release(1);
}

TEST_F(ServerClaimsTest, AClaimIsKeptUpThreeTimesInTheLifeThatTheServerTells) {
  server.claim_life = std::chrono::milliseconds(1'500);
  const auto held = claim("one");
  const auto begun = std::chrono::steady_clock::now();
  while (server.asked("heartbeat") < 2 &&
         std::chrono::steady_clock::now() < begun + std::chrono::seconds(4)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GE(server.asked("heartbeat"), 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(900));
}

TEST_F(ServerClaimsTest, AClaimIsKeptUntilTheStepIsPublished) {
  std::atomic<bool> go{false};
  server.respond = [&](const Request& request, registry::BodySink&, const Cancel&) -> Answer {
    while (request.url.find("/v2/") != std::string::npos && !go) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::nullopt;
  };
  auto held = claim("one");
  client_->on_record(ran("one"));
  held.reset();
  EXPECT_EQ(server.asked("release"), 0U);
  go = true;
  EXPECT_TRUE(client_->finish().empty());
  wait_for_release(1);
  EXPECT_EQ(server.published().size(), 1U);
}

TEST_F(ServerClaimsTest, WhatIsKnownMeanwhileIsFoundAndAsksForNothingElse) {
  serve("one");
  ASSERT_TRUE(claim("one"));
  EXPECT_EQ(found_by_content("one"), 1U);
  EXPECT_EQ(server.asked("lookup"), 1U) << "the greeting";
}

TEST_F(ServerClaimsTest, WhatAnotherBuildOfThisMachineMadeMeanwhileIsNotAskedFor) {
  server.held.insert(Digest::of("content one"));  // by that build, which still publishes it
  local_waits = true;
  ASSERT_TRUE(claim("one"));
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(server.asked("/claim/"), 0U);
}

TEST_F(ServerClaimsTest, AHeldStepIsWaitedFor) {
  server.held.insert(Digest::of("content one"));
  server.respond = [this](const Request& request, registry::BodySink&, const Cancel&) -> Answer {
    if (request.url.find("wait") != std::string::npos) {
      serve("one");  // the other machine publishes it
    }
    return std::nullopt;
  };
  ASSERT_TRUE(claim("one"));
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(found_by_content("one"), 1U);
  EXPECT_EQ(server.asked("claim"), 1U);
}

TEST_F(ServerClaimsTest, AStepThatFailedElsewhereIsClaimedAgain) {
  server.held.insert(Digest::of("content one"));
  auto held = claim("one");
  ASSERT_TRUE(held);
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(server.asked("claim"), 2U);
  EXPECT_EQ(server.claims.size(), 1U);
}

TEST_F(ServerClaimsTest, AServerThatLiesAboutWaitsIsNotAskedForEver) {
  server.respond = [&](const Request& request, registry::BodySink&, const Cancel&) -> Answer {
    if (request.url.find("/claim/") != std::string::npos) {
      server.held.insert(Digest::of("content one"));  // free in waits, held in claims
    }
    return std::nullopt;
  };
  ASSERT_TRUE(claim("one"));
  EXPECT_LE(server.asked("/claim/"), 8U);
  EXPECT_EQ(waits, 1);
}

/// Says of every step that it is held, and never gives one.
class HoldingServerTest : public ServerClaimsTest {
 protected:
  using Milliseconds = std::chrono::milliseconds;
  HoldingServerTest() {
    client_.reset();
    patience = {.unproven = Milliseconds(300),
                .most = Milliseconds(60'000),
                .in_vain = Milliseconds(250),
                .then = Milliseconds(1)};
    server.held_time = std::chrono::minutes(8);
    for (const char* name : {"one", "two", "three"}) {
      server.held.insert(Digest::of(std::string("content ") + name));
    }
    server.respond = [](const Request& request, registry::BodySink& body, const Cancel&) -> Answer {
      return request.url.find("/wait/") == std::string::npos
                 ? std::nullopt
                 : Answer(ok(body, "{\"over\":[],\"records\":[]}"));
    };
    client();
  }
  Milliseconds time_of_claim(const std::string& name) {
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(claim(name));
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begun);
  }
};

TEST_F(HoldingServerTest, ItsWordAloneIsWorthLittleTimeAndOnlyOnce) {
  EXPECT_GE(time_of_claim("one"), Milliseconds(250));
  const std::size_t before = server.asked("/wait/");
  EXPECT_GE(before, 1U);
  EXPECT_TRUE(claim("two"));
  EXPECT_LE(server.asked("/wait/"), before + 1) << "hardly waited for";
  EXPECT_TRUE(claim("three"));
  EXPECT_EQ(server.asked("/claim/"), 2U) << "not asked any more";
}

TEST_F(HoldingServerTest, ASignedRecordOfTheStepWithOtherInputsIsWorthTwiceItsTime) {
  cache_server::StepRecord before = record_of("one");
  before.content = Digest::of("content of yesterday");
  before.cost_ms = 350;
  server.add(before);
  EXPECT_GE(time_of_claim("one"), Milliseconds(650));
}

TEST_F(ServerClaimsTest, WhoMayNotClaimLooksTheStepUp) {
  serve("one");
  answer_to("/claim/", 403);
  ASSERT_TRUE(claim("zero"));
  ASSERT_TRUE(claim("one"));
  EXPECT_EQ(found_by_content("one"), 1U);
  EXPECT_EQ(server.asked("/claim/"), 1U);
}

TEST_F(ServerClaimsTest, TooManyClaimsAreNoFailureOfTheServer) {
  serve("found");
  answer_to("/claim/", 429);
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    EXPECT_TRUE(claim(name));
  }
  EXPECT_EQ(found("found"), 1U);
}

TEST_F(ServerClaimsTest, AnAnswerThatIsNoneLeavesTheStepToUs) {
  server.respond = [](const Request& request, registry::BodySink& body, const Cancel&) -> Answer {
    return request.url.find("/claim/") == std::string::npos ? std::nullopt
                                                            : Answer(ok(body, "{\"results\":[]}"));
  };
  EXPECT_TRUE(claim("one"));
  EXPECT_TRUE(claim("two"));
  EXPECT_EQ(server.asked("/claim/"), 1U);
}

TEST_F(ServerClaimsTest, ACancelEndsTheWait) {
  server.held.insert(Digest::of("content one"));
  server.respond = [this](const Request& request, registry::BodySink&,
                          const Cancel& stop) -> Answer {
    if (request.url.find("/wait/") == std::string::npos) {
      return std::nullopt;
    }
    cancel.request(Error(ErrorKind::Cancelled, "enough"));
    return Result<Response>(stop.check().error());
  };
  EXPECT_FALSE(claim("one"));
}

}  // namespace
}  // namespace mybuild::cache_client
