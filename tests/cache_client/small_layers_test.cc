// SPDX-License-Identifier: Apache-2.0
// Layers that are needed next come in one answer; whatever is wrong with that, each comes alone.
#include "tests/cache_client/world.h"

#include <vector>

namespace mybuild::cache_client {
namespace {

class SmallLayersTest : public CacheClientTest {
 protected:
  void SetUp() override {
    client();
    for (const std::string& name : names_) {
      serve(name);
      ASSERT_EQ(found(name), 1U);
      diff_ids_.push_back(Digest::of(name));
    }
  }
  /// What the origin of a layer gives.
  std::string fetch(const std::string& name) {
    const auto place = client_->records().where(Digest::of(name));
    EXPECT_TRUE(place);
    StringSink sink;
    const Status fetched = place->origin(place->blob, sink);
    return fetched ? sink.text : "error: " + fetched.error().message();
  }
  void fetch_all() {
    for (const std::string& name : names_) {
      EXPECT_EQ(fetch(name), name);
    }
  }

  const std::vector<std::string> names_ = {"one", "two", "three"};
  std::vector<Digest> diff_ids_;
};

TEST_F(SmallLayersTest, ComeInOneAnswer) {
  client_->records().announce(diff_ids_);
  fetch_all();
  EXPECT_EQ(server.asked("/cache/v1/blobs/team/main"), 1U);
  EXPECT_EQ(server.asked("/v2/"), 0U);
}

TEST_F(SmallLayersTest, OneAloneIsFetchedAlone) {
  client_->records().announce(std::span(diff_ids_).first(1));
  EXPECT_EQ(server.asked("/cache/v1/blobs/"), 0U);
}

TEST_F(SmallLayersTest, AServerThatHasTooMuchToDoIsAskedForEach) {
  answer_to("/cache/v1/blobs/", 503);
  client_->records().announce(diff_ids_);
  fetch_all();
  EXPECT_EQ(server.asked("/v2/"), 3U);
}

TEST_F(SmallLayersTest, WrongBytesAreNotTaken) {
  server.blobs[Digest::of("two")] = "TWO";
  client_->records().announce(diff_ids_);
  EXPECT_EQ(fetch("one"), "one");
  server.blobs[Digest::of("two")] = "two";
  EXPECT_EQ(fetch("two"), "two") << "fetched alone, and checked then";
  EXPECT_EQ(server.asked("/v2/"), 1U);
}

TEST_F(SmallLayersTest, AnAnswerThatIsCutIsNone) {
  server.respond = [](const registry::Request& request, registry::BodySink& body,
                      const Cancel&) -> std::optional<Result<registry::Response>> {
    if (request.url.find("/blobs/team") == std::string::npos) {
      return std::nullopt;
    }
    return ok(body, "short");
  };
  client_->records().announce(diff_ids_);
  fetch_all();
}

TEST_F(SmallLayersTest, LargeOnesAreFetchedAlone) {
  for (const char* name : {"large", "larger"}) {
    cache_server::StepRecord record = record_of(name);
    record.blob.size = cache_server::kMaxSmallBlob + 1;
    server.add(record);
    ASSERT_EQ(found(name), 1U);
  }
  const std::vector<Digest> large = {Digest::of("large"), Digest::of("larger")};
  client_->records().announce(large);
  EXPECT_EQ(server.asked("/cache/v1/blobs/"), 0U);
}

}  // namespace
}  // namespace mybuild::cache_client
