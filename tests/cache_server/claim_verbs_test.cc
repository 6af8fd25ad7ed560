// SPDX-License-Identifier: Apache-2.0
#include "tests/cache_server/records_world.h"

namespace mybuild::cache_server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ClaimVerbs : public RecordsWorld {
 protected:
  WaitAnswer answer_of(PendingAnswer& pending) {
    const std::optional<Answer> answer = pending.poll();
    EXPECT_TRUE(answer);
    return parse_wait_answer(text_of(*answer)).value();
  }
  std::vector<std::string> list(const Caller& caller, const std::string& address,
                                const std::string& claim) {
    const Answer answer = ask(caller, address, dump(ClaimList{.claims = {claim}}));
    EXPECT_EQ(answer.status, 200) << text_of(answer);
    return parse_claim_list(text_of(answer))->claims;
  }
  const StepRecord step_ = sample_record();
};

TEST_F(ClaimVerbs, OneRunsItTheOthersWaitAndGetIt) {
  link("main");
  EXPECT_EQ(claim(member("main"), step_).result, ClaimResult::Granted);
  const ClaimAnswer::One held = claim(everywhere(), step_);
  EXPECT_EQ(held.result, ClaimResult::Held);
  EXPECT_EQ(held.owner, "token of main");
  EXPECT_EQ(held.time, seconds(60));

  const auto waiting = wait(everywhere(), step_, seconds(30));
  int woken = 0;
  waiting->subscribe([&] { ++woken; });
  EXPECT_FALSE(waiting->poll());
  publish(member("main"), step_);
  EXPECT_EQ(woken, 1);
  const WaitAnswer answer = answer_of(*waiting);
  EXPECT_THAT(answer.over, ElementsAre(step_.content));
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(*parse_step_record(answer.records[0].body), step_);

  const ClaimAnswer::One known = claim(everywhere(), step_);
  EXPECT_EQ(known.result, ClaimResult::Known);
  EXPECT_EQ(known.record, answer.records[0]);
  EXPECT_EQ(claims_.size(), 0U) << "what is known needs no claim";
}

TEST_F(ClaimVerbs, WhatAParentKnowsIsKnown) {
  link("main");
  publish(member("main"), step_);
  EXPECT_EQ(claim(member("pr"), step_).result, ClaimResult::Known);
}

TEST_F(ClaimVerbs, AnotherNamespaceWaitsForNobody) {
  EXPECT_EQ(claim(member("main"), step_).result, ClaimResult::Granted);
  EXPECT_EQ(claim(member("pr"), step_).result, ClaimResult::Granted);
}

TEST_F(ClaimVerbs, TheRecordedCostBoundsTheWait) {
  link("main");
  publish(member("main"), step_);
  StepRecord again = step_;  // the same command on other files
  again.content = Digest::of("other content");
  claim(member("main"), again);
  now_ += seconds(2);
  EXPECT_EQ(claim(member("main"), again).time, milliseconds(1'500 + 5'000 - 2'000));
}

TEST_F(ClaimVerbs, AReleaseFreesItWithoutARecord) {
  const std::string id = claim(member("main"), step_).claim;
  const auto waiting = wait(everywhere(), step_, seconds(30));
  EXPECT_FALSE(waiting->poll());
  EXPECT_THAT(list(everywhere(), "release/-", id), IsEmpty()) << "another's claim";
  EXPECT_FALSE(waiting->poll());
  EXPECT_THAT(list(member("main"), "release/-", id), ElementsAre(id));
  const WaitAnswer answer = answer_of(*waiting);
  EXPECT_THAT(answer.over, ElementsAre(step_.content));
  EXPECT_THAT(answer.records, IsEmpty());
}

TEST_F(ClaimVerbs, HeartbeatsKeepIt) {
  const std::string id = claim(member("main"), step_).claim;
  now_ += seconds(4);
  EXPECT_THAT(list(member("main"), "heartbeat/-", id), ElementsAre(id));
  now_ += seconds(4);
  EXPECT_EQ(claim(everywhere(), step_).result, ClaimResult::Held);
  now_ += seconds(2);
  EXPECT_THAT(list(member("main"), "heartbeat/-", id), IsEmpty());
}

TEST_F(ClaimVerbs, AClaimOfOneWhoDiedEndsForThoseWhoWait) {
  claim(member("main"), step_);
  const auto waiting = wait(everywhere(), step_, seconds(60));
  waiting->subscribe([] {});
  EXPECT_FALSE(waiting->poll());
  EXPECT_EQ(waiting->deadline(), now_ + kClaimLife) << "to look again then";
  now_ += kClaimLife;
  EXPECT_THAT(answer_of(*waiting).over, ElementsAre(step_.content));
}

TEST_F(ClaimVerbs, AWaitEndsWithItsTime) {
  claim(member("main"), step_);
  const auto waiting = wait(everywhere(), step_, milliseconds(500));
  waiting->subscribe([] {});
  EXPECT_EQ(waiting->deadline(), now_ + milliseconds(500));
  now_ += milliseconds(500);
  const WaitAnswer answer = answer_of(*waiting);
  EXPECT_THAT(answer.over, IsEmpty());
  EXPECT_THAT(answer.records, IsEmpty());
}

TEST_F(ClaimVerbs, WhoWaitsForWhatNobodyRunsIsAnsweredAtOnce) {
  EXPECT_THAT(answer_of(*wait(everywhere(), step_, seconds(60))).over, ElementsAre(step_.content));
}

TEST_F(ClaimVerbs, WhoHangsUpIsNotWoken) {
  claim(member("main"), step_);
  int woken = 0;
  {
    const auto waiting = wait(everywhere(), step_, seconds(60));
    waiting->subscribe([&] { ++woken; });
  }
  link("main");
  publish(member("main"), step_);
  EXPECT_EQ(woken, 0);
}

TEST_F(ClaimVerbs, ARefusedRecordEndsNoClaim) {
  claim(member("main"), step_);
  EXPECT_EQ(publish(member("main"), step_), PublishResult::Refused);
  EXPECT_EQ(claim(everywhere(), step_).result, ClaimResult::Held);
}

}  // namespace
}  // namespace mybuild::cache_server
