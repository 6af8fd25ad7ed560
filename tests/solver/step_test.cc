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
    inputs.is_source.push_back(bare_source);
    return inputs;
  }
  static FakeOp upper(InputRule rule = InputRule::Whole) {
    return FakeOp({.definition = "upper", .rule = rule, .run = [](const auto& texts) {
                     return Result<std::string>("up:" + texts[0]);
                   }});
  }
  struct Probe {
    StepKeys keys;
    std::optional<Output> hit;
  };
  Probe probe(FakeOp& op, const StepInputs& inputs, bool look_up = true) {
    Probe probe{.keys = make_definition_key(op, inputs).value(), .hit = {}};
    set_inputs(probe.keys, inputs);
    if (look_up) {
      const auto records = index_->find_all({{probe.keys.definition}}).value().at(0);
      probe.hit = match_records(op, probe.keys, inputs, records).value();
    }
    if (!probe.hit) {
      probe.hit = find_by_content(op, probe.keys, inputs, *index_, look_up).value();
    }
    return probe;
  }
  Result<Output> run(FakeOp& op, const Probe& probe, const StepInputs& inputs,
                     StepPolicy policy = {}) {
    return run_step(op, probe.keys, inputs, *index_, executor_, policy, cancel_);
  }
  /// Probes, runs on a miss; the text of the result.
  std::string build(FakeOp& op, const StepInputs& inputs) {
    const Probe probed = probe(op, inputs);
    if (probed.hit) {
      return text_of(probed.hit->result);
    }
    Result<Output> output = run(op, probed, inputs);
    EXPECT_TRUE(output.has_value());
    return text_of(output->result);
  }

  LocalExecutor executor_;
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
  const Probe mine = probe(op, input("x"));
  const Probe theirs = probe(op, input("x"));
  ASSERT_FALSE(mine.hit || theirs.hit);
  ASSERT_TRUE(run(op, theirs, input("x")));
  EXPECT_EQ(text_of(run(op, mine, input("x"))->result), "1");
  EXPECT_EQ(text_of(run(op, mine, input("x"), {.look_up = false})->result), "3")
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
  const Probe probed = probe(op, input("x"), false);
  EXPECT_FALSE(probed.hit.has_value());
  EXPECT_FALSE(probed.keys.content.digest.is_zero());
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

TEST_F(StepTest, WithoutEarlyCutoffTheNewResultStays) {
  int count = 0;
  FakeOp op({.definition = "generate", .run = [&count](const auto&) {
               ++count;
               return Result<std::string>("same");
             }});
  const Probe first = probe(op, input("x"));
  const ResultPtr earlier = run(op, first, input("x"))->result;
  const CacheRecord newer{.definition = first.keys.definition,
                          .content = first.keys.content,
                          .inputs = first.keys.record_inputs,
                          .output = {Digest::of("tree same")},
                          .body = "earlier"};
  ASSERT_TRUE(index_->add(newer));
  const StepPolicy forced{.look_up = false, .early_cutoff = true};
  EXPECT_EQ(text_of(run(op, first, input("x"), forced)->result), "earlier");
  const StepPolicy none{.look_up = false, .early_cutoff = false};
  EXPECT_EQ(text_of(run(op, first, input("x"), none)->result), "same");
}

TEST_F(StepTest, AFailedRunLeavesNoRecord) {
  FakeOp op = upper();
  op.does_.run = [](const auto&) { return Result<std::string>(not_found("no")); };
  const Probe probed = probe(op, input("x"));
  EXPECT_FALSE(run(op, probed, input("x")).has_value());
  EXPECT_TRUE(index_->find(probed.keys.content)->empty());
}

}  // namespace
}  // namespace mybuild::solver
