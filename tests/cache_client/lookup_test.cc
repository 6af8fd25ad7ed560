// SPDX-License-Identifier: Apache-2.0
// What a build finds in a cache server, and what a bad one can do to it: nothing but not help.
#include "tests/cache_client/world.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace mybuild::cache_client {
namespace {

using registry::Request;
using registry::Response;
using Answer = std::optional<Result<Response>>;

class LookupTest : public CacheClientTest {
 protected:
  Result<std::string> layer(const std::string& name) {
    const auto place = client_->records().where(Digest::of(name));
    if (!place) {
      return not_found("no place");
    }
    StringSink sink;
    TRY(place->origin(place->blob, sink));
    return sink.text;
  }
};

TEST_F(LookupTest, RecordsAreFoundAndNoLayerIsFetchedBeforeItIsNeeded) {
  serve("one");
  client();
  EXPECT_EQ(found("one"), 1U);
  EXPECT_EQ(found("two"), 0U);
  const auto by_content = client_->records().find(solver::ContentKey{Digest::of("content one")});
  ASSERT_EQ(by_content.size(), 1U);
  EXPECT_TRUE(by_content[0].is_imported);
  EXPECT_TRUE(by_content[0].output.digest.is_zero()) << "output ids are made here";
  EXPECT_EQ(server.asked("/v2/"), 0U);
  EXPECT_EQ(*layer("one"), "one");
  EXPECT_EQ(warnings(), "");
}

TEST_F(LookupTest, AllKeysGoOutInOneQuestionWithTheGreetingOrAfterIt) {
  client();
  std::vector<solver::DefinitionKey> keys;
  for (int i = 0; i < 50; ++i) {
    keys.push_back({Digest::of(std::to_string(i))});
  }
  client_->records().expect(keys);
  for (const auto& key : keys) {
    EXPECT_TRUE(client_->records().find(key).empty());
  }
  EXPECT_LE(server.asked("lookup"), 2U);
}

TEST_F(LookupTest, TheTokenGoesToTheServerAndNowhereElse) {
  server.token = "secret-token";
  serve("one");
  client();
  EXPECT_EQ(found("one"), 1U);
  EXPECT_EQ(*layer("one"), "one");
  for (const Request& request : server.requests()) {
    EXPECT_EQ(request.url.find("secret"), std::string::npos);
  }
}

TEST_F(LookupTest, OverANetworkThereIsNoTokenWithoutTls) {
  const auto started = start("http://cache.example");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind(), ErrorKind::Denied);
}

TEST_F(LookupTest, ARecordOfAnotherKeyIsAMissAndIsCounted) {
  const auto pinned = server.key.public_key();
  server.key = cache_server::SigningKey::generate().value();
  serve("one");  // signed by the new key, under the old name
  server.respond = [&](const Request& request, registry::BodySink& body, const Cancel&) -> Answer {
    if (request.url.find("lookup") == std::string::npos) {
      return std::nullopt;
    }
    cache_server::LookupAnswer answer;
    answer.space = server.space;
    answer.keys[server.space] = pinned;
    answer.records = server.records;
    return ok(body, cache_server::dump(answer));
  };
  client();
  EXPECT_EQ(found("one"), 0U);
  (void)client_->finish();
  EXPECT_NE(warnings().find("with a wrong signature"), std::string::npos) << warnings();
}

TEST_F(LookupTest, AnAlteredRecordIsAMiss) {
  serve("one");
  std::string& body = server.records[0].body;
  body.replace(body.find("1000"), 4, "1001");
  client();
  EXPECT_EQ(found("one"), 0U);
}

TEST_F(LookupTest, ARecordOfANamespaceWithoutAPinnedKeyIsAMiss) {
  serve("one");
  server.records[0].space = "evil";
  server.records[0].signature =
      server.key.sign(cache_server::signed_text("evil", server.records[0].body)).value();
  client();
  EXPECT_EQ(found("one"), 0U);
}

TEST_F(LookupTest, AChangedKeyIsAWarningAndNothingOfItIsUsed) {
  serve("one");
  given = {{"team/main", cache_server::SigningKey::generate().value().public_key()}};
  client();
  EXPECT_EQ(found("one"), 0U);
  EXPECT_NE(warnings().find("has changed"), std::string::npos);
}

TEST_F(LookupTest, ADeadServerIsAskedOnceAndToldOnce) {
  answer_all([](registry::BodySink&) -> Result<Response> {
    return make_error(ErrorKind::Unavailable, "connection refused");
  });
  client();
  EXPECT_EQ(found("one"), 0U);
  EXPECT_EQ(found("two"), 0U);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(events.all<solver::Warning>().size(), 1U);
  EXPECT_NE(warnings().find("goes on without the cache server"), std::string::npos);
}

TEST_F(LookupTest, EveryRequestHasAnEndInTime) {
  client();
  EXPECT_EQ(found("one"), 0U);
  for (const Request& request : server.requests()) {
    ASSERT_TRUE(request.timeout);
    EXPECT_LE(*request.timeout, std::chrono::milliseconds(2100));
  }
}

TEST_F(LookupTest, GarbageEndsIt) {
  for (const char* text : {"", "<html>", "{\"records\": 7}", "[]"}) {
    answer_all([&](registry::BodySink& body) { return ok(body, text); });
    client();
    const std::size_t before = server.asked("lookup");
    EXPECT_EQ(found("one"), 0U) << text;
    EXPECT_LE(server.asked("lookup"), before + 1) << text;
    EXPECT_EQ(found("two"), 0U) << text;
    EXPECT_LE(server.asked("lookup"), before + 1) << "it is not asked again: " << text;
    client_.reset();
  }
}

TEST_F(LookupTest, AnEndlessAnswerEndsIt) {
  answer_all([](registry::BodySink& body) -> Result<Response> {
    const std::string piece(1 << 20, ' ');
    TRY(body.begin(response(200)));
    for (;;) {
      TRY(body.write(as_bytes(piece)));
    }
  });
  client();
  EXPECT_EQ(found("one"), 0U);
  EXPECT_LE(server.requests().size(), 3U);
}

/// Each answer takes 1.1 s, so that two are more than any build gives for nothing.
class SlowServerTest : public LookupTest {
 protected:
  void be_slow() {
    server.respond = [](const Request&, registry::BodySink&, const Cancel&) -> Answer {
      std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
      return std::nullopt;
    };
  }
  cache_server::StepRecord costing(const std::string& name, std::uint64_t milliseconds) {
    cache_server::StepRecord record = record_of(name);
    record.cost_ms = milliseconds;
    return record;
  }
};

TEST_F(SlowServerTest, NoStepWaitsForAnswersThatSaveLessThanTheyTake) {
  be_slow();
  server.add(costing("one", 20));
  client();
  (void)client_->records().space();
  EXPECT_EQ(found("one"), 0U);
  EXPECT_EQ(found("two"), 0U);
  EXPECT_EQ(server.asked("lookup"), 2U) << "the greeting, and one question";
  client_->on_record(ran("three", std::chrono::milliseconds(1)));
  EXPECT_TRUE(client_->finish().empty());
  EXPECT_EQ(events.all<solver::Warning>().size(), 1U) << warnings();
  EXPECT_NE(warnings().find("and what it knows saves 0.0 s"), std::string::npos) << warnings();
}

TEST_F(SlowServerTest, AnswersThatSaveMinutesAreWorthTheirTime) {
  be_slow();
  server.add(costing("one", 60'000));
  client();
  (void)client_->records().space();
  EXPECT_EQ(found("one"), 1U);
  EXPECT_EQ(warnings(), "");
}

TEST_F(LookupTest, ARefusedTokenSaysWhatToDo) {
  server.token = "another";
  client();
  EXPECT_EQ(found("one"), 0U);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_NE(warnings().find("MYBUILD_CACHE_TOKEN"), std::string::npos);
}

TEST_F(LookupTest, ProblemsOfItsOwnAreBorneThreeTimes) {
  for (const int status : {500, 503, 502}) {
    answer_to("", status);
    const std::size_t before = server.requests().size();
    client();
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      EXPECT_EQ(found(name), 0U);
    }
    EXPECT_EQ(server.requests().size() - before, 3U);
    client_.reset();
  }
}

TEST_F(LookupTest, AServerThatIsNoneIsToldOfThoughItWasAskedButOnce) {
  for (const int status : {500, 507, 307, 302, 400}) {
    const std::size_t before = events.all<solver::Warning>().size();
    server.respond = [status](const Request&, registry::BodySink&, const Cancel&) -> Answer {
      return Result<Response>(response(status, {{"location", "https://elsewhere.example/"}}));
    };
    client();
    client_->on_record(ran("one"));
    (void)client_->finish();
    client_.reset();
    const std::vector<solver::Warning> told = events.all<solver::Warning>();
    ASSERT_EQ(told.size(), before + 1) << status << warnings();
    EXPECT_NE(told.back().message.find(fmt::format("status {}", status)), std::string::npos);
    EXPECT_EQ(told.back().message.find("https://elsewhere.example/; is that the right address?") !=
                  std::string::npos,
              status < 400)
        << told.back().message;
  }
}

TEST_F(LookupTest, ALayerThatStopsIsNotAskedForAgainAndNeitherIsTheServer) {
  serve("one");
  client();
  EXPECT_EQ(found("one"), 1U);
  server.respond = [](const Request& request, registry::BodySink&, const Cancel&) -> Answer {
    EXPECT_LE(request.stall, std::chrono::seconds(3));
    EXPECT_LE(*request.patience, std::chrono::seconds(5));
    std::this_thread::sleep_for(request.stall);
    return Result<Response>(make_error(ErrorKind::Unavailable, "too slow").with_errno(ETIMEDOUT));
  };
  EXPECT_FALSE(layer("one"));
  EXPECT_EQ(server.asked("/v2/"), 1U);
  EXPECT_NE(warnings().find("goes on without the cache server"), std::string::npos) << warnings();
}

TEST_F(LookupTest, ALayerThatBreaksIsGoneOnWithOnceIfAnythingCame) {
  for (const bool comes : {false, true}) {
    serve("one");
    client();
    EXPECT_EQ(found("one"), 1U);
    const std::size_t before = server.asked("/v2/");
    bool first = true;
    server.respond = [comes, &first](const Request&, registry::BodySink& body,
                                     const Cancel&) -> Answer {
      if (!std::exchange(first, false)) {
        return std::nullopt;
      }
      if (comes) {
        EXPECT_TRUE(body.begin(response(200)));
        EXPECT_TRUE(body.write(as_bytes("o")));
      }
      return Result<Response>(make_error(ErrorKind::Unavailable, "connection reset"));
    };
    EXPECT_EQ(layer("one").value_or("nothing"), comes ? "one" : "nothing");
    EXPECT_EQ(server.asked("/v2/") - before, comes ? 2U : 1U);
    EXPECT_EQ(warnings(), "");
    server.respond = nullptr;
    client_.reset();
  }
}

/// 2 MB/s: a layer of 10 MB takes 5 s.
class NarrowLineTest : public LookupTest {
 protected:
  NarrowLineTest() {
    server.respond = [](const Request& request, registry::BodySink& body, const Cancel&) -> Answer {
      if (request.url.find("/blobs/sha256:") == std::string::npos) {
        return std::nullopt;
      }
      return Answer(trickle(body));
    };
  }
  static Result<Response> trickle(registry::BodySink& body) {
    const std::string piece(100'000, 'x');
    TRY(body.begin(response(200)));
    for (std::size_t sent = 0; sent < kSize; sent += piece.size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      TRY(body.write(as_bytes(piece)));
    }
    return response(200);
  }
  void serve_large(const std::string& name, std::uint64_t cost_ms) {
    cache_server::StepRecord record = record_of(name);
    record.blob.digest = Digest::of(std::string(kSize, 'x'));
    record.blob.size = kSize;
    record.cost_ms = cost_ms;
    server.add(record);
  }
  static constexpr std::size_t kSize = 10'000'000;
};

TEST_F(NarrowLineTest, ALayerThatIsDearerToFetchThanToMakeIsGivenUpAndNoOtherIsTried) {
  serve_large("cheap", 100);
  serve_large("cheap too", 100);
  serve_large("dear", 60'000);
  client();
  EXPECT_EQ(found("cheap") + found("cheap too") + found("dear"), 3U);
  const auto place = client_->records().where(Digest::of("cheap"));
  ASSERT_TRUE(place);
  StringSink sink;
  const auto begun = std::chrono::steady_clock::now();
  const Status fetched = place->origin(place->blob, sink);
  ASSERT_FALSE(fetched);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(2'500));
  client_->distrust(place->cache, fetched.error());
  EXPECT_EQ(found("cheap") + found("cheap too"), 0U);
  EXPECT_EQ(found("dear"), 1U) << "a minute's work";
  EXPECT_EQ(client_->distrusted().size(), 2U);
  (void)client_->finish();
  EXPECT_NE(warnings().find("2 layers that would take longer to fetch than to make"),
            std::string::npos)
      << warnings();
}

TEST_F(NarrowLineTest, ALayerOfALongStepComesHoweverSlowlyAndTellsOfTheLine) {
  serve_large("dear", 60'000);
  serve_large("cheap", 100);
  client();
  EXPECT_EQ(found("dear"), 1U);
  EXPECT_EQ(layer("dear").value_or("").size(), kSize);
  EXPECT_EQ(found("cheap"), 0U);
  EXPECT_EQ(found("dear"), 1U);
  (void)client_->finish();
  EXPECT_EQ(warnings(), "");
}

TEST_F(LookupTest, ALayerWithOtherBytesIsForgottenWithItsRecordsAndCounted) {
  serve("one");
  serve("two");
  server.blobs[Digest::of("one")] = "eno";
  client();
  EXPECT_EQ(found("one") + found("two"), 2U);
  const auto place = client_->records().where(Digest::of("one"));
  ASSERT_TRUE(place);
  EXPECT_TRUE(is_of_server(place->cache));
  StringSink sink;
  const Status fetched = place->origin(place->blob, sink);
  ASSERT_FALSE(fetched);
  client_->distrust(place->cache, fetched.error());
  EXPECT_FALSE(client_->records().where(Digest::of("one")));
  EXPECT_TRUE(client_->records().where(Digest::of("two"))) << "the others are still good";
  EXPECT_EQ(client_->distrusted().size(), 1U);
  (void)client_->finish();
  EXPECT_NE(warnings().find("1 layer"), std::string::npos);
}

TEST_F(LookupTest, ALayerThatIsNotWhatItsRecordSaysIsForgotten) {
  serve("one");
  client();
  EXPECT_EQ(found("one"), 1U);
  const auto place = client_->records().where(Digest::of("one"));
  client_->distrust(place->cache, data_loss("not the diff id"));
  EXPECT_FALSE(client_->records().where(Digest::of("one")));
  EXPECT_EQ(found("one") + found_by_content("one"), 0U);
  EXPECT_EQ(client_->distrusted(), std::set<std::size_t>{place->cache});
}

TEST_F(LookupTest, WithAServerThatDiedNoneOfItsLayersIsUsed) {
  serve("one");
  serve("two");
  client();
  EXPECT_EQ(found("one") + found("two"), 2U);
  answer_all([](registry::BodySink&) -> Result<Response> {
    return make_error(ErrorKind::Unavailable, "connection refused");
  });
  const auto place = client_->records().where(Digest::of("one"));
  for (int i = 0; i < 3; ++i) {
    StringSink sink;
    const Status fetched = place->origin(place->blob, sink);
    ASSERT_FALSE(fetched);
    client_->distrust(place->cache, fetched.error());
  }
  EXPECT_EQ(client_->distrusted().size(), 2U);
  EXPECT_FALSE(client_->records().where(Digest::of("two")));
}

TEST_F(LookupTest, ACancelledBuildWaitsForNoAnswer) {
  server.respond = [](const Request&, registry::BodySink&, const Cancel& stop) -> Answer {
    while (!stop.requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Result<Response>(stop.check().error());
  };
  client();
  std::thread user([this] { cancel.request(Error(ErrorKind::Cancelled, "enough")); });
  EXPECT_EQ(found("one"), 0U);
  user.join();
  EXPECT_EQ(warnings(), "");
}

}  // namespace
}  // namespace mybuild::cache_client
