// SPDX-License-Identifier: Apache-2.0
// Each message as its bytes, and back.
#include "builder/cache_server/protocol/messages.h"
#include "tests/cache_server/sample.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

using std::chrono::milliseconds;

const std::string kA = Digest::of("a").str();
const std::string kB = Digest::of("b").str();
const std::string kNoSignature = std::string(85, 'A') + "A";

SignedRecord signed_sample() {
  return {.space = "main", .body = R"({"step":"x"})", .signature = std::string(64, '\0')};
}
const std::string kSignedSample =
    R"({"body":"{\"step\":\"x\"}","signature":")" + kNoSignature + R"(","space":"main"})";

/// Writes it as `text`, and reads that as the same.
template <class Message>
void expect_bytes(const Message& message, const std::string& text,
                  Result<Message> (*parse)(std::string_view)) {
  EXPECT_EQ(dump(message), text);
  const auto again = parse(text);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(dump(*again), text);
}

TEST(Messages, Lookup) {
  expect_bytes<LookupRequest>({.definitions = {Digest::of("a")}, .contents = {Digest::of("b")}},
                              R"({"contents":[")" + kB + R"("],"definitions":[")" + kA + R"("]})",
                              parse_lookup_request);
  const LookupAnswer answer{
      .space = "team/pr-12", .keys = {{"main", PublicKey{}}}, .records = {signed_sample()}};
  expect_bytes<LookupAnswer>(answer,
                             R"({"keys":{"main":"ed25519:)" + std::string(43, 'A') +
                                 R"("},"records":[)" + kSignedSample + R"(],"space":"team/pr-12"})",
                             parse_lookup_answer);
  EXPECT_EQ(parse_lookup_answer(dump(answer))->records[0], signed_sample());
}

TEST(Messages, ALookupAnswerHoldsAnyTextOfARecord) {
  LookupAnswer answer{.space = "main", .keys = {}, .records = {}};
  for (const std::string body :
       {"", R"({"step":"a\\b\"c"})", "{\"step\":\"\u00fc\"}", "\n\t\x01\x7f"}) {
    answer.records.push_back(signed_sample());
    answer.records.back().body = body;
  }
  EXPECT_EQ(parse_lookup_answer(dump(answer))->records, answer.records);
}

TEST(Messages, Publish) {
  const PublishRequest request{
      .records = {{.record = sample_record(), .facts = {{"arg:X", "1"}, {"base", "b"}}}}};
  expect_bytes<PublishRequest>(
      request,
      R"({"records":[{"facts":{"arg:X":"1","base":"b"},"record":)" + dump(sample_record()) + "}]}",
      parse_publish_request);
  EXPECT_EQ(parse_publish_request(dump(request))->records[0].record, sample_record());
  expect_bytes<PublishAnswer>({.results = {{.result = PublishResult::Accepted, .message = ""},
                                           {.result = PublishResult::Known, .message = ""},
                                           {.result = PublishResult::Different, .message = "x"},
                                           {.result = PublishResult::Refused, .message = "y"}}},
                              R"({"results":[{"message":"","result":"accepted"},)"
                              R"({"message":"","result":"known"},)"
                              R"({"message":"x","result":"different"},)"
                              R"({"message":"y","result":"refused"}]})",
                              parse_publish_answer);
}

TEST(Messages, Claim) {
  expect_bytes<ClaimRequest>(
      {.owner = "ci-7:42", .steps = {{.definition = Digest::of("a"), .content = Digest::of("b")}}},
      R"({"owner":"ci-7:42","steps":[{"content":")" + kB + R"(","definition":")" + kA + R"("}]})",
      parse_claim_request);
  const ClaimAnswer answer{.results = {{.result = ClaimResult::Granted,
                                        .claim = "abc-_9",
                                        .time = milliseconds(15'000),
                                        .owner = ""},
                                       {.result = ClaimResult::Held,
                                        .claim = "",
                                        .time = milliseconds(60'000),
                                        .owner = "ci-7:42"},
                                       {.result = ClaimResult::Known,
                                        .claim = "",
                                        .time = {},
                                        .owner = "",
                                        .record = signed_sample()}}};
  expect_bytes<ClaimAnswer>(answer,
                            R"({"results":[{"claim":"abc-_9","result":"granted","time_ms":15000},)"
                            R"({"owner":"ci-7:42","result":"held","time_ms":60000},)"
                            R"({"record":)" +
                                kSignedSample + R"(,"result":"known","time_ms":0}]})",
                            parse_claim_answer);
  expect_bytes<ClaimList>({.claims = {"a", "b"}}, R"({"claims":["a","b"]})", parse_claim_list);
}

TEST(Messages, Wait) {
  expect_bytes<WaitRequest>({.contents = {Digest::of("a")}, .timeout = milliseconds(1'000)},
                            R"({"contents":[")" + kA + R"("],"timeout_ms":1000})",
                            parse_wait_request);
  expect_bytes<WaitAnswer>({.over = {Digest::of("a")}, .records = {signed_sample()}},
                           R"({"over":[")" + kA + R"("],"records":[)" + kSignedSample + "]}",
                           parse_wait_answer);
}

TEST(Messages, Explain) {
  expect_bytes<ExplainRequest>({.step = "RUN x", .facts = {{"base", "b"}}},
                               R"({"facts":{"base":"b"},"step":"RUN x"})", parse_explain_request);
  expect_bytes<ExplainAnswer>(
      {.nearest = {{.record = signed_sample(), .different = {"base", "env:X"}}}},
      R"({"nearest":[{"different":["base","env:X"],"record":)" + kSignedSample + "}]}",
      parse_explain_answer);
}

TEST(Messages, OfNothingAreMessages) {
  EXPECT_TRUE(parse_lookup_request("{}")->contents.empty());
  EXPECT_TRUE(parse_publish_request("{}")->records.empty());
  EXPECT_TRUE(parse_claim_request(R"({"later":1})")->steps.empty());
  EXPECT_EQ(parse_wait_request("{}")->timeout, milliseconds(0));
}

TEST(Messages, TheBytesOfARecordInOneAreKnownBefore) {
  SignedRecord record = signed_sample();
  record.body = dump(sample_record());
  LookupAnswer answer{.space = "main", .keys = {}, .records = {record}};
  const std::size_t one = dump(answer).size();
  answer.records.push_back(record);
  EXPECT_LE(dump(answer).size() - one, message_bytes(record));
  EXPECT_GE(dump(answer).size() - one + 64, message_bytes(record));
}

}  // namespace
}  // namespace mybuild::cache_server
