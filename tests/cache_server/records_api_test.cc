// SPDX-License-Identifier: Apache-2.0
#include "tests/cache_server/records_world.h"

namespace mybuild::cache_server {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using RecordsApiTest = RecordsWorld;

TEST_F(RecordsApiTest, WhatOnePublishesAnotherFindsSigned) {
  link("main");
  EXPECT_EQ(publish(member("main"), sample_record()), PublishResult::Accepted);
  const LookupAnswer answer = lookup(member("main"), sample_record());
  EXPECT_EQ(answer.space, "main");
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(*parse_step_record(answer.records[0].body), sample_record());
  EXPECT_TRUE(verify(answer.keys.at("main"), signed_text("main", answer.records[0].body),
                     answer.records[0].signature));
}

TEST_F(RecordsApiTest, AChildReadsItsParentUnderTheParentsKey) {
  link("main");
  publish(member("main"), sample_record());
  const LookupAnswer answer = lookup(member("pr"), sample_record());
  EXPECT_EQ(answer.space, "pr");
  EXPECT_EQ(answer.keys.size(), 2U);
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(answer.records[0].space, "main");
  const std::string text = signed_text("main", answer.records[0].body);
  EXPECT_TRUE(verify(answer.keys.at("main"), text, answer.records[0].signature));
  EXPECT_FALSE(verify(answer.keys.at("pr"), text, answer.records[0].signature));
}

TEST_F(RecordsApiTest, WhatAChildPublishesItsParentNeverSees) {
  link("main");
  EXPECT_EQ(publish(member("pr"), sample_record()), PublishResult::Accepted);
  EXPECT_THAT(lookup(member("main"), sample_record()).records, IsEmpty());
  EXPECT_THAT(lookup(member("other"), sample_record()).records, IsEmpty());
  EXPECT_EQ(lookup(member("pr"), sample_record()).records.size(), 1U);
}

TEST_F(RecordsApiTest, KeysAreToldWithoutRecords) {
  const Answer answer = ask(member("pr"), "keys/-", "", "GET");
  const auto keys = parse_lookup_answer(text_of(answer));
  EXPECT_EQ(keys->keys, lookup(member("pr"), sample_record()).keys);
  EXPECT_EQ(keys->space, "pr");
  EXPECT_EQ(ask(member("pr"), "keys/main", "", "GET").status, 200);
  EXPECT_EQ(ask(member("main"), "keys/pr", "", "GET").status, 403);
}

TEST_F(RecordsApiTest, OnesOwnNamespaceIsADash) {
  EXPECT_EQ(lookup(member("pr"), sample_record()).space, "pr");
  EXPECT_EQ(lookup(everywhere(), sample_record()).space, "main");
  EXPECT_EQ(lookup(everywhere(), sample_record(), "other").space, "other");
}

TEST_F(RecordsApiTest, WithoutATokenOneIsAskedForIt) {
  for (const char* verb :
       {"lookup", "publish", "claim", "heartbeat", "release", "wait", "explain", "blobs"}) {
    const Answer answer = ask(Caller(), std::string(verb) + "/main", "{}");
    EXPECT_EQ(answer.status, 401) << verb;
    EXPECT_THAT(answer.headers, Contains(Pair("WWW-Authenticate", "Basic realm=\"mybuild\"")));
    EXPECT_EQ(ask(Caller(), std::string(verb) + "/-", "{}").status, 401) << verb;
  }
  EXPECT_EQ(ask(Caller(), "keys/main", "", "GET").status, 401);
}

TEST_F(RecordsApiTest, EachScopeIsGoodForItsOwn) {
  const std::map<std::string, Scope> needed = {
      {"lookup", Scope::Read},     {"explain", Scope::Read}, {"blobs", Scope::Read},
      {"publish", Scope::Write},   {"claim", Scope::Claim},  {"wait", Scope::Claim},
      {"heartbeat", Scope::Claim}, {"release", Scope::Claim}};
  for (const auto& [verb, scope] : needed) {
    for (const Scope has : {Scope::Read, Scope::Write, Scope::Claim, Scope::Admin}) {
      const Outcome outcome = send(only(has), verb + "/main", "{}");
      const Answer* answer = std::get_if<Answer>(&outcome);
      EXPECT_EQ(answer != nullptr && answer->status == 403, has != scope)
          << verb << " with " << to_string(has);
    }
  }
}

TEST_F(RecordsApiTest, OneWritesAndClaimsInOnesOwnNamespaceOnly) {
  for (const char* verb : {"publish", "claim", "heartbeat", "release", "wait"}) {
    EXPECT_EQ(ask(member("pr"), std::string(verb) + "/main", "{}").status, 403) << verb;
    EXPECT_EQ(ask(member("pr"), std::string(verb) + "/other", "{}").status, 403) << verb;
  }
  for (const char* verb : {"lookup", "explain", "blobs"}) {
    EXPECT_EQ(ask(member("pr"), std::string(verb) + "/main", "{}").status, 200) << verb;
    EXPECT_EQ(ask(member("pr"), std::string(verb) + "/other", "{}").status, 403) << verb;
  }
}

TEST_F(RecordsApiTest, ANamespaceThatDoesNotExistIsNotFound) {
  EXPECT_EQ(ask(everywhere(), "lookup/nowhere", "{}").status, 404);
  EXPECT_EQ(ask(everywhere(), "publish/nowhere", "{}").status, 404);
}

TEST_F(RecordsApiTest, AddressesThatAreNone) {
  EXPECT_EQ(ask(everywhere(), "lookup", "{}").status, 404);
  EXPECT_EQ(ask(everywhere(), "", "{}").status, 404);
  EXPECT_EQ(ask(everywhere(), "guess/main", "{}").status, 404);
  EXPECT_EQ(ask(everywhere(), "lookup/", "{}").status, 400);
  EXPECT_EQ(ask(everywhere(), "lookup/../main", "{}").status, 400);
  EXPECT_EQ(ask(everywhere(), "lookup/Main", "{}").status, 400);
  const Answer get = ask(everywhere(), "lookup/main", "", "GET");
  EXPECT_EQ(get.status, 405);
  EXPECT_THAT(get.headers, Contains(Pair("Allow", "POST")));
}

TEST_F(RecordsApiTest, AMalformedMessageIsTheClientsFault) {
  const Answer answer = ask(member("main"), "lookup/-", R"({"contents":[1]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(text_of(answer), HasSubstr("contents: expected digests"));
  EXPECT_EQ(ask(member("main"), "lookup/-", R"({"contents":["md5:aa"]})").status, 400);
  EXPECT_EQ(ask(member("main"), "publish/-", "").status, 400);
}

TEST_F(RecordsApiTest, AMessageThatIsTooLongIsRefusedBeforeItComes) {
  Request request;
  request.method = "POST";
  request.path = "/cache/v1/lookup/main";
  request.body_size = 3 << 20;
  request.caller = everywhere();
  const auto refusal = api_.begin(request)->refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 413);
}

TEST_F(RecordsApiTest, AFullCacheTakesNoMoreAndStillAnswers) {
  link("main");
  publish(member("main"), sample_record());
  has_room_ = false;
  EXPECT_EQ(ask(member("main"), "publish/-", "{}").status, 507);
  EXPECT_EQ(lookup(member("main"), sample_record()).records.size(), 1U);
}

TEST_F(RecordsApiTest, WhatIsNearATextIsExplained) {
  link("main");
  const PublishRequest request{
      .records = {{.record = sample_record(), .facts = {{"base", "old"}, {"env", "1"}}}}};
  ask(member("main"), "publish/-", dump(request));
  const Answer answer =
      ask(member("pr"), "explain/-",
          dump(ExplainRequest{.step = "RUN step", .facts = {{"base", "new"}, {"env", "1"}}}));
  const auto explained = parse_explain_answer(text_of(answer));
  ASSERT_EQ(explained->nearest.size(), 1U);
  EXPECT_THAT(explained->nearest[0].different, ::testing::ElementsAre("base"));
}

TEST_F(RecordsApiTest, WhatHappensIsCounted) {
  link("main");
  publish(member("main"), sample_record());
  lookup(member("main"), sample_record());
  EXPECT_THAT(metrics_.text(),
              HasSubstr("mybuild_serve_records_published_total{result=\"accepted\"} 1"));
  EXPECT_THAT(metrics_.text(), HasSubstr("mybuild_serve_keys_asked_total 2"));
}

}  // namespace
}  // namespace mybuild::cache_server
