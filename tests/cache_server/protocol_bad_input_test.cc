// SPDX-License-Identifier: Apache-2.0
// What is refused, and how it is said.
#include "snapshotter/base/json.h"
#include "tests/cache_server/sample.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

template <class Message>
std::string why_not(Result<Message> (*parse)(std::string_view), const Json& json) {
  const auto message = parse(json.dump());
  EXPECT_TRUE(message || message.error().kind() == ErrorKind::InvalidArgument ||
              message.error().kind() == ErrorKind::Unsupported);
  return message ? "" : message.error().message();
}

Json digests(std::size_t count) {
  return std::vector<std::string>(count, Digest::of("a").str());
}

Json signed_sample() {
  return {{"space", "main"}, {"body", "{}"}, {"signature", std::string(86, 'A')}};
}

TEST(BadInput, TextThatIsNoObjectIsNoMessage) {
  for (const std::string text : {"", "[]", "1", "null", "{", "{}{}", "\"\xff\""}) {
    EXPECT_FALSE(parse_lookup_request(text)) << text;
    EXPECT_FALSE(parse_publish_request(text)) << text;
    EXPECT_FALSE(parse_claim_request(text)) << text;
    EXPECT_FALSE(parse_claim_list(text)) << text;
    EXPECT_FALSE(parse_wait_request(text)) << text;
    EXPECT_FALSE(parse_explain_request(text)) << text;
    EXPECT_FALSE(parse_lookup_answer(text)) << text;
    EXPECT_FALSE(parse_publish_answer(text)) << text;
    EXPECT_FALSE(parse_claim_answer(text)) << text;
    EXPECT_FALSE(parse_wait_answer(text)) << text;
    EXPECT_FALSE(parse_explain_answer(text)) << text;
  }
}

TEST(BadInput, TooLongIsNotEvenRead) {
  EXPECT_EQ(parse_lookup_request(std::string(kMaxMessageBytes + 1, ' ')).error().message(),
            "the message has 33554433 bytes, more than 33554432");
}

TEST(BadInput, ALookupAsksForTenThousandKeysAtMost) {
  EXPECT_EQ(why_not(parse_lookup_request, {{"definitions", digests(kMaxKeys)}}), "");
  EXPECT_EQ(why_not(parse_lookup_request, {{"definitions", digests(kMaxKeys + 1)}}),
            "definitions: expected 10000 at most, not 10001");
  EXPECT_EQ(
      why_not(parse_lookup_request, {{"definitions", digests(kMaxKeys)}, {"contents", digests(1)}}),
      "10000 keys at most in one lookup");
  EXPECT_EQ(why_not(parse_lookup_request, {{"contents", {"sha256:ab"}}}),
            "contents: digest \"sha256:ab\" does not have 64 hex digits");
  EXPECT_NE(why_not(parse_lookup_request, {{"contents", {1}}}), "");
  EXPECT_NE(why_not(parse_lookup_request, {{"contents", kMaxKeys}}), "");
}

TEST(BadInput, PublishedRecordsAreChecked) {
  Json one = {{"record", *parse_json(dump(sample_record()))}};
  EXPECT_EQ(why_not(parse_publish_request, {{"records", {one}}}), "");
  EXPECT_NE(
      why_not(parse_publish_request, {{"records", std::vector<Json>(kMaxPublished + 1, one)}}), "");
  Json unlayered = one;
  unlayered["record"].erase("blob");
  EXPECT_EQ(why_not(parse_publish_request, {{"records", {one, unlayered}}}),
            "records[1].record.blob.digest: expected a digest");
  EXPECT_NE(why_not(parse_publish_request, {{"records", {Json::object()}}}), "");
}

TEST(BadInput, FactsHaveLimits) {
  const auto ask = [](const Json& facts) {
    return why_not(parse_explain_request, {{"step", "x"}, {"facts", facts}});
  };
  Json many = Json::object();
  for (std::size_t i = 0; i <= kMaxFacts; ++i) {
    many[std::to_string(i)] = "";
  }
  EXPECT_EQ(ask(many), "facts: expected 1024 at most, not 1025");
  EXPECT_EQ(ask({{"n", std::string(kMaxFactBytes - 1, 'x')}}), "");
  EXPECT_NE(ask({{"n", std::string(kMaxFactBytes, 'x')}}), "");
  EXPECT_NE(ask({{"n", 1}}), "");
}

TEST(BadInput, ClaimsHaveLimits) {
  const Json step = {{"definition", Digest::of("a").str()}, {"content", Digest::of("b").str()}};
  EXPECT_EQ(why_not(parse_claim_request, {{"steps", std::vector<Json>(kMaxClaims, step)}}), "");
  EXPECT_NE(why_not(parse_claim_request, {{"steps", std::vector<Json>(kMaxClaims + 1, step)}}), "");
  EXPECT_NE(why_not(parse_claim_request, {{"steps", {{{"content", Digest::of("b").str()}}}}}), "");
  EXPECT_NE(why_not(parse_claim_request, {{"owner", std::string(kMaxText + 1, 'x')}}), "");
  for (const std::string id : {"", "a b", "a\n", "../x"}) {
    EXPECT_NE(why_not(parse_claim_list, {{"claims", {id}}}), "") << id;
  }
  EXPECT_NE(why_not(parse_claim_list, {{"claims", {std::string(kMaxClaimId + 1, 'a')}}}), "");
  EXPECT_NE(why_not(parse_wait_request, {{"timeout_ms", 60'001}}), "");
  EXPECT_NE(why_not(parse_wait_request, {{"timeout_ms", -1}}), "");
  EXPECT_NE(why_not(parse_wait_request, {{"contents", digests(kMaxClaims + 1)}}), "");
}

TEST(BadInput, ClientsReadNoAnswerThatIsOutOfItsLimits) {
  EXPECT_NE(why_not(parse_claim_answer, {{"results", {{{"result", "granted"}}}}}), "");
  EXPECT_NE(why_not(parse_claim_answer, {{"results", {{{"result", "maybe"}}}}}), "");
  const std::int64_t long_wait = std::chrono::milliseconds(kMaxClaimTime).count() + 1;
  EXPECT_NE(
      why_not(parse_claim_answer, {{"results", {{{"result", "held"}, {"time_ms", long_wait}}}}}),
      "");
  EXPECT_NE(why_not(parse_publish_answer, {{"results", {{{"result", ""}}}}}), "");
  const Json near = {{"record", signed_sample()}};
  EXPECT_EQ(why_not(parse_explain_answer, {{"nearest", std::vector<Json>(5, near)}}), "");
  EXPECT_NE(why_not(parse_explain_answer, {{"nearest", std::vector<Json>(6, near)}}), "");
}

TEST(BadInput, SignedRecordsOfAnAnswerAreChecked) {
  const auto answer = [](const Json& record, const std::string& space = "main") {
    return why_not(parse_lookup_answer, {{"space", space}, {"records", {record}}});
  };
  EXPECT_EQ(answer(signed_sample()), "");
  EXPECT_NE(answer(signed_sample(), "../main"), "");
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, Json>>{{"space", "Main"},
                                                 {"space", ""},
                                                 {"space", "a//b"},
                                                 {"body", 1},
                                                 {"body", std::string(kMaxRecordBytes + 1, 'x')},
                                                 {"signature", std::string(85, 'A')},
                                                 {"signature", std::string(86, 'A') + "=="},
                                                 {"signature", std::string(86, '/')},
                                                 {"signature", nullptr}}) {
    Json wrong = signed_sample();
    wrong[name] = value;
    EXPECT_NE(answer(wrong), "") << name;
  }
}

TEST(BadInput, KeysOfAnAnswerAreKeysOfNamespaces) {
  const std::string key = to_string(PublicKey{});
  const auto answer = [](const Json& keys) {
    return why_not(parse_lookup_answer, {{"space", "main"}, {"keys", keys}});
  };
  EXPECT_EQ(answer({{"main", key}}), "");
  EXPECT_NE(answer({{"Main", key}}), "");
  EXPECT_NE(answer({{"main", "key"}}), "");
  Json many = Json::object();
  for (int i = 0; i < 10; ++i) {
    many[std::to_string(i)] = key;
  }
  EXPECT_NE(answer(many), "");
}

}  // namespace
}  // namespace mybuild::cache_server
