// SPDX-License-Identifier: Apache-2.0
#include "solver/step.h"

#include "solver/memory_index.h"
#include "tests/support/fake_op.h"

#include <gtest/gtest.h>

namespace mybuild::solver {
namespace {

using testing_support::FakeOp;
using testing_support::text_of;
using testing_support::TextResult;

class StepTest : public testing::Test {
 protected:
  static StepInputs input(const std::string& text, bool bare_source = false,
                          const std::string& definition = "parent") {
    StepInputs inputs;
    inputs.results.push_back(std::make_shared<TextResult>(text));
    inputs.ids.push_back({bare_source ? Digest{} : Digest::of("tree " + text)});
    inputs.definitions.push_back({Digest::of(definition)});
    inputs.is_direct.push_back(bare_source);
    return inputs;
  }
  static FakeOp upper(InputRule rule = InputRule::Whole) {
    return FakeOp({.definition = "upper", .rule = rule, .run = [](const auto& texts) {
                     return Result<std::string>("up:" + texts[0]);
                   }});
  }
  /// Probes, runs on a miss; the text of the result.
  std::string build(FakeOp& op, const StepInputs& inputs) {
    Result<Probe> probed = probe_step(op, inputs, *index_, true);
    EXPECT_TRUE(probed.has_value());
    if (probed->hit) {
      return text_of(probed->hit->result);
    }
    Result<Output> output = run_step(op, probed->keys, inputs, *index_, true, cancel_);
    EXPECT_TRUE(output.has_value());
    return text_of(output->result);
  }

  std::unique_ptr<CacheIndex> index_ = make_memory_index();
  Cancel cancel_;
};

TEST_F(StepTest, ASecondBuildRunsNothing) {
  FakeOp op = upper();
  build(op, input("x"));
  EXPECT_EQ(build(op, input("x")), "up:x");
  EXPECT_EQ(op.runs, 1);
}

TEST_F(StepTest, BuildsThatRunAStepAtTheSameTimeAgreeOnOneOutcome) {
  int count = 0;
  FakeOp op({.definition = "date", .run = [&count](const auto&) {
               return Result<std::string>(std::to_string(++count));
             }});
  const Result<Probe> mine = probe_step(op, input("x"), *index_, true);
  const Result<Probe> theirs = probe_step(op, input("x"), *index_, true);
  ASSERT_FALSE(mine->hit || theirs->hit);
  const auto first = run_step(op, theirs->keys, input("x"), *index_, true, cancel_);
  EXPECT_EQ(text_of(run_step(op, mine->keys, input("x"), *index_, true, cancel_)->result), "1");
  EXPECT_EQ(text_of(run_step(op, mine->keys, input("x"), *index_, false, cancel_)->result), "3")
      << "who wants no cache gets what was run";
  EXPECT_EQ(build(op, input("x")), "3");
}

TEST_F(StepTest, AnotherInputIsAMissEvenWithTheSameDefinition) {
  // A re-run `apt-get install` has the same definition key and another outcome; what was linked
  // against the old one must not be found.
  FakeOp op = upper();
  build(op, input("x"));
  EXPECT_EQ(build(op, input("y")), "up:y");
  EXPECT_EQ(op.runs, 2);
}

TEST_F(StepTest, AnEqualInputUnderAnotherDefinitionIsAHit) {
  FakeOp op = upper();
  build(op, input("x", false, "one way to make x"));
  build(op, input("x", false, "another way to make x"));
  EXPECT_EQ(op.runs, 1);
}

TEST_F(StepTest, AHitByContentIsFoundByDefinitionNextTime) {
  FakeOp op = upper(InputRule::Selected);
  build(op, input("x", false, "one"));
  build(op, input("x", false, "two"));
  const int hashed = op.hashed;
  build(op, input("x", false, "two"));
  EXPECT_EQ(op.hashed, hashed) << "the definition key spares the content digest";
}

TEST_F(StepTest, OnlyTheSelectedPartOfAContextCounts) {
  FakeOp op = upper(InputRule::Selected);
  op.does_.selected = [](const std::string& text) { return text.substr(0, 1); };
  build(op, input("x1", true));
  build(op, input("x2", true));
  EXPECT_EQ(op.runs, 1);
  build(op, input("y2", true));
  EXPECT_EQ(op.runs, 2);
}

TEST_F(StepTest, ARecordWhoseBytesAreGoneIsAMiss) {
  FakeOp op = upper();
  build(op, input("x"));
  op.does_.forget = true;
  EXPECT_EQ(build(op, input("x")), "up:x");
  EXPECT_EQ(op.runs, 2);
}

TEST_F(StepTest, WithoutLookupTheKeysAreMadeAllTheSame) {
  FakeOp op = upper();
  build(op, input("x"));
  const Result<Probe> probed = probe_step(op, input("x"), *index_, false);
  ASSERT_TRUE(probed.has_value());
  EXPECT_FALSE(probed->hit.has_value());
  EXPECT_FALSE(probed->keys.content.digest.is_zero());
}

TEST_F(StepTest, AnEqualOutcomeKeepsTheEarlierResult) {
  FakeOp first(
      {.definition = "generate 1", .run = [](const auto&) { return Result<std::string>("same"); }});
  FakeOp second(
      {.definition = "generate 2", .run = [](const auto&) { return Result<std::string>("same"); }});
  build(first, input("x"));
  build(second, input("x"));
  const std::vector<CacheRecord> records = index_->find(OutputId{Digest::of("tree same")}).value();
  EXPECT_EQ(records.size(), 2u);
}

TEST_F(StepTest, AFailedRunLeavesNoRecord) {
  FakeOp op = upper();
  op.does_.run = [](const auto&) { return Result<std::string>(not_found("no")); };
  const Result<Probe> probed = probe_step(op, input("x"), *index_, true);
  EXPECT_FALSE(run_step(op, probed->keys, input("x"), *index_, true, cancel_).has_value());
  EXPECT_TRUE(index_->find(probed->keys.content)->empty());
}

}  // namespace
}  // namespace mybuild::solver
