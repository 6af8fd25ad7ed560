// SPDX-License-Identifier: Apache-2.0
// What a build gives to its cache server, and what it keeps for itself.
#include "tests/cache_client/world.h"

#include <array>
#include <future>
#include <thread>

namespace mybuild::cache_client {
namespace {

using registry::Request;
using registry::Response;
using std::chrono::milliseconds;
using Answer = std::optional<Result<Response>>;

class PublishTest : public CacheClientTest {
 protected:
  /// Tests that expect something to be left do not wait for it for long.
  void wait_only(milliseconds time) {
    flush.time = time;
    flush.is_asked = true;
  }
  /// Until somebody does not wait any longer.
  void hang_at(const std::string& word) {
    server.respond = [word](const Request& request, registry::BodySink&,
                            const Cancel& stop) -> Answer {
      if (request.url.find(word) == std::string::npos) {
        return std::nullopt;
      }
      while (!stop.requested()) {
        std::this_thread::sleep_for(milliseconds(1));
      }
      return Result<Response>(stop.check().error());
    };
  }
};

TEST_F(PublishTest, AStepThatRanIsPublishedWithItsLayer) {
  client().on_record(ran("one"));
  EXPECT_TRUE(client_->finish().empty());
  ASSERT_EQ(server.published().size(), 1U);
  const cache_server::StepRecord record = server.published()[0];
  EXPECT_EQ(record.definition, Digest::of("step one"));
  EXPECT_EQ(record.content, Digest::of("content one"));
  EXPECT_EQ(record.diff_id, Digest::of("one"));
  EXPECT_EQ(record.inputs, std::vector{Digest::of("input")});
  EXPECT_EQ(record.cost_ms, 1000U);
  EXPECT_EQ(record.step, "RUN one");
  EXPECT_EQ(record.blob.digest, Digest::of("a layer"));
  EXPECT_EQ(server.blobs.count(Digest::of("a layer")), 1U);
  EXPECT_EQ(warnings(), "");
}

TEST_F(PublishTest, TheNextMachineFindsIt) {
  client().on_record(ran("one"));
  (void)client_->finish();
  client();
  EXPECT_EQ(found("one"), 1U);
}

TEST_F(PublishTest, WhatDidNotRunHereIsNoNews) {
  solver::CacheRecord found_here = ran("found");
  found_here.run.reset();
  solver::CacheRecord imported = ran("imported");
  imported.is_imported = true;
  solver::CacheRecord no_content = ran("no content");
  no_content.content = {};
  for (const auto& record : {found_here, imported, no_content}) {
    client().on_record(record);
    EXPECT_TRUE(client_->finish().empty());
  }
  EXPECT_TRUE(server.published().empty());
}

TEST_F(PublishTest, ASmallBlobIsOneRequest) {
  client().on_record(ran("one"));
  (void)client_->finish();
  EXPECT_EQ(server.asked("/v2/"), 1U);
  EXPECT_EQ(server.blobs.at(Digest::of("a layer")), "a layer");
  EXPECT_EQ(server.published().size(), 1U);
}

TEST_F(PublishTest, AServerMayWantASmallBlobInSeveralRequests) {
  server.takes_at_once = false;
  client().on_record(ran("one"));
  (void)client_->finish();
  EXPECT_EQ(server.blobs.at(Digest::of("a layer")), "a layer");
  EXPECT_EQ(server.published().size(), 1U);
}

TEST_F(PublishTest, ALargeBlobThatIsThereIsNotSentAgain) {
  tars[Digest::of("one")] = std::string(100'000, 'x');
  server.blobs[Digest::of(tars[Digest::of("one")])] = tars[Digest::of("one")];
  client().on_record(ran("one"));
  (void)client_->finish();
  EXPECT_EQ(server.asked("uploads"), 0U);
  EXPECT_EQ(server.published().size(), 1U);
}

TEST_F(PublishTest, ManyStepsGoInFewMessages) {
  std::promise<void> release;
  server.respond = [&, released = release.get_future().share(), first = true](
                       const Request& request, registry::BodySink&,
                       const Cancel&) mutable -> Answer {
    if (request.url.find("publish") != std::string::npos && std::exchange(first, false)) {
      released.wait();
    }
    return std::nullopt;
  };
  client();
  for (int i = 0; i < 40; ++i) {
    client_->on_record(ran(std::to_string(i)));
  }
  for (int i = 0; i < 10'000 && server.asked("uploads") < 40; ++i) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  release.set_value();
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_EQ(server.published().size(), 40U);
  EXPECT_LE(server.asked("publish"), 10U);
}

TEST_F(PublishTest, OffPublishesNothingAndStillFinds) {
  serve("one");
  flush.how = Flush::How::Off;
  client().on_record(ran("two"));
  EXPECT_EQ(found("one"), 1U);
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_TRUE(server.published().empty());
}

TEST_F(PublishTest, ALayerWithASecretStaysHereAndTheUserHearsOfIt) {
  has_secret = [](const Digest& diff_id) { return Result<bool>(diff_id == Digest::of("leaky")); };
  client().on_record(ran("leaky"));
  client_->on_record(ran("clean"));
  (void)client_->finish();
  ASSERT_EQ(server.published().size(), 1U);
  EXPECT_EQ(server.published()[0].step, "RUN clean");
  EXPECT_NE(warnings().find("RUN leaky"), std::string::npos) << warnings();
}

TEST_F(PublishTest, NamesLeaveAsTheyMayBeSeenAlsoInTheBackground) {
  masked = [](std::string name) { return name.replace(name.find("one"), 3, "***"); };
  client().on_record(ran("one"));
  (void)client_->finish();
  ASSERT_EQ(server.published().size(), 1U);
  EXPECT_EQ(server.published()[0].step, "RUN ***");
  flush.how = Flush::How::Background;
  hang_at("uploads");
  client().on_record(ran("one"));
  const std::vector<solver::CacheRecord> left = client_->finish();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].run->step, "RUN ***");
}

TEST_F(PublishTest, ALargeLayerThatTakesLongerThanItsStepIsNotSent) {
  tars[Digest::of("first")] = std::string(5 << 20, 'a');
  tars[Digest::of("second")] = std::string(5 << 20, 'b');
  tars[Digest::of("dear")] = std::string(5 << 20, 'c');
  server.respond = [](const Request& request, registry::BodySink&, const Cancel&) -> Answer {
    if (request.method != "PUT") {
      return std::nullopt;
    }
    std::this_thread::sleep_for(milliseconds(100));
    return Result<Response>(response(201));
  };
  client().on_record(ran("first", milliseconds(1)));
  while (server.published().empty()) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  client_->on_record(ran("second", milliseconds(1)));
  client_->on_record(ran("dear", std::chrono::minutes(1)));
  EXPECT_TRUE(client_->finish().empty());
  ASSERT_EQ(server.published().size(), 2U) << "of the first one nobody knew how slow it is";
  EXPECT_EQ(server.published()[1].step, "RUN dear");
}

TEST_F(PublishTest, TimeRunsOutWithAWarning) {
  wait_only(milliseconds(50));
  hang_at("uploads");
  client().on_record(ran("one"));
  EXPECT_TRUE(client_->finish().empty()) << "nobody goes on with it";
  EXPECT_NE(warnings().find("1 steps were not published"), std::string::npos) << warnings();
  EXPECT_NE(warnings().find("not enough"), std::string::npos) << warnings();
}

TEST_F(PublishTest, AShortBuildWaitsShortlyUnlessItIsToldToWait) {
  stuck = std::chrono::minutes(1);
  hang_at("uploads");
  client().on_record(ran("one"));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_NE(warnings().find("2 s were not enough"), std::string::npos) << warnings();
  EXPECT_EQ(client_->unsent().size(), 1U) << "another day";
}

TEST_F(PublishTest, AServerWhereNothingMovesIsNotWaitedForHoweverLongTheUserWould) {
  wait_only(std::chrono::hours(1));
  stuck = milliseconds(150);
  for (const char* word : {"uploads", "publish"}) {
    hang_at(word);
    client().on_record(ran(word));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(client_->finish().empty());
    client_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3)) << word;
  }
  EXPECT_EQ(events.all<solver::Warning>().size(), 2U) << "one each: " << warnings();
  EXPECT_NE(warnings().find("1 steps were not published to the cache server "
                            "http://127.0.0.1:7000/team/main: nothing moved for"),
            std::string::npos)
      << warnings();
}

TEST_F(PublishTest, AnUploadThatMovesIsWaitedForAndSoIsOurOwnWork) {
  stuck = milliseconds(150);
  const auto make = layers.make_blob;
  layers.make_blob = [make](const Digest& diff_id) {
    std::this_thread::sleep_for(milliseconds(500));
    return make(diff_id);
  };
  tars[Digest::of("one")] = std::string(100'000, 'x');
  server.respond = [](const Request& request, registry::BodySink&, const Cancel&) -> Answer {
    if (request.method == "PUT") {
      const auto source = request.stream->open().value();
      std::array<std::byte, 10'000> piece{};
      while (*source->read(piece) > 0) {
        std::this_thread::sleep_for(milliseconds(50));
      }
    }
    return std::nullopt;
  };
  client().on_record(ran("one"));
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_EQ(server.published().size(), 1U);
  EXPECT_EQ(warnings(), "");
}

TEST_F(PublishTest, WhatIsLostIsToldInOneWarning) {
  for (const auto& [word, status] : {std::pair("publish", 500), std::pair("publish", 507),
                                     std::pair("uploads", 507), std::pair("uploads", 400)}) {
    const std::size_t before = events.all<solver::Warning>().size();
    client();
    found("x");  // it speaks to us
    answer_to(word, status);
    client_->on_record(ran("one"));
    (void)client_->finish();
    client_.reset();
    server.respond = nullptr;
    const std::vector<solver::Warning> told = events.all<solver::Warning>();
    ASSERT_EQ(told.size(), before + 1) << word << status << warnings();
    const std::string& text = told.back().message;
    EXPECT_NE(text.find("1 steps were not published to the cache server"), std::string::npos)
        << word << status << text;
    EXPECT_NE(text.find(status == 507 ? "space" : std::to_string(status)), std::string::npos)
        << text;
  }
}

TEST_F(PublishTest, InTheBackgroundSomebodyElseGoesOn) {
  flush.how = Flush::How::Background;
  client();
  for (int i = 0; i < 20; ++i) {
    client_->on_record(ran(std::to_string(i)));
  }
  const std::vector<solver::CacheRecord> left = client_->finish();
  client_.reset();
  for (const solver::CacheRecord& record : left) {
    EXPECT_TRUE(record.run);
  }
  EXPECT_GE(left.size() + server.published().size(), 20U) << "each is one or the other";
}

TEST_F(PublishTest, WhoMayNotWriteIsToldOnceAndTriesNoMore) {
  answer_to("publish", 403);
  client();
  for (int i = 0; i < 5; ++i) {
    client_->on_record(ran(std::to_string(i)));
    (void)client_->finish();
    client();
  }
  EXPECT_NE(warnings().find("not allowed with our token"), std::string::npos) << warnings();
  EXPECT_EQ(found("x"), 0U) << "lookups go on";
  EXPECT_GT(server.asked("lookup"), 0U);
}

TEST_F(PublishTest, AFullServerIsNoFailureAndGetsNoMore) {
  answer_to("uploads", 507);
  client().on_record(ran("one"));
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_TRUE(server.published().empty());
  EXPECT_EQ(server.asked("uploads"), 1U);
}

TEST_F(PublishTest, ADeadServerHoldsNobodyUp) {
  client();
  EXPECT_EQ(found("x"), 0U);
  answer_all([](registry::BodySink&) -> Result<Response> {
    return make_error(ErrorKind::Unavailable, "connection reset");
  });
  client_->on_record(ran("one"));
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_NE(warnings().find("goes on without"), std::string::npos) << warnings();
}

}  // namespace
}  // namespace mybuild::cache_client
