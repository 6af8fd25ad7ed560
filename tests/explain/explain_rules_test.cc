// SPDX-License-Identifier: Apache-2.0
// explain(): a reason of each kind.
#include "builder/explain/explain.h"
#include "tests/explain/steps.h"

#include <gtest/gtest.h>

namespace mybuild::explain {
namespace {

class FakePast final : public Past {
 public:
  const RecordedBuild* build(std::size_t age) override {
    return age < builds.size() ? &builds[age] : nullptr;
  }
  const Manifest* manifest(const std::string& selection) override {
    const auto found = manifests.find(selection);
    return found == manifests.end() ? nullptr : &found->second;
  }
  std::vector<RecordedBuild> builds;
  std::map<std::string, Manifest> manifests;
};

RecordedBuild build(std::string id, std::string outcomes, std::vector<StepFacts> steps) {
  RecordedBuild out;
  out.summary.id = std::move(id);
  out.outcomes = std::move(outcomes);
  out.steps = std::move(steps);
  return out;
}

/// The last step of a build that is explained by one earlier build.
StepExplanation last_step(const RecordedBuild& now, const std::optional<RecordedBuild>& then) {
  FakePast past;
  if (then) {
    past.builds.push_back(*then);
  }
  return explain(now, past).steps.back();
}

const StepFacts kBase = base_step("[1/2] FROM a", "a", "c1");
const StepFacts kRun = run_step("[2/2] RUN x", "x", "p");

TEST(Explain, AFirstBuildHasNothingToCompareWith) {
  EXPECT_EQ(last_step(build("n", "dr", {kBase, kRun}), {}).reason, Reason::FirstBuild);
}

TEST(Explain, FoundStepsSayHow) {
  EXPECT_EQ(last_step(build("n", "dh", {kBase, kRun}), {}).reason, Reason::FoundDefinition);
  EXPECT_EQ(last_step(build("n", "dc", {kBase, kRun}), {}).reason, Reason::FoundContent);
}

TEST(Explain, AForcedStepWasAskedFor) {
  const auto step = last_step(build("n", "dR", {kBase, kRun}), build("t", "dr", {kBase, kRun}));
  EXPECT_EQ(step.reason, Reason::Forced);
  EXPECT_EQ(step.state, StepState::Ran);
}

TEST(Explain, EqualInputsWithoutAResultMeanThatItIsGone) {
  const auto step = last_step(build("n", "dr", {kBase, kRun}), build("t", "dr", {kBase, kRun}));
  EXPECT_EQ(step.reason, Reason::Gone);
  EXPECT_EQ(step.compared_build, "t");
}

TEST(Explain, EqualInputsOfAFailedStepMeanThatItNeverFinished) {
  const auto step = last_step(build("n", "df", {kBase, kRun}), build("t", "df", {kBase, kRun}));
  EXPECT_EQ(step.reason, Reason::NeverFinished);
  EXPECT_EQ(step.state, StepState::Failed);
}

TEST(Explain, AStepThatDiffersNamesTheInput) {
  const auto then = run_step("[2/2] RUN x", "x", "p", {{"V", "1"}});
  const auto now = run_step("[2/2] RUN x", "x", "p", {{"V", "2"}});
  const auto step = last_step(build("n", "dr", {kBase, now}), build("t", "dr", {kBase, then}));
  EXPECT_EQ(step.reason, Reason::Changed);
  ASSERT_EQ(step.differences.size(), 1U);
  EXPECT_EQ(step.differences[0].name, "V");
  EXPECT_FALSE(step.cause);
}

TEST(Explain, AStepOfAnotherKindIsUnlikeAll) {
  const auto copy = run_step("[2/2] COPY a b", "a b", "p");
  const auto step = last_step(build("n", "dr", {kBase, copy}), build("t", "dr", {kBase, kRun}));
  EXPECT_EQ(step.reason, Reason::Unlike);
}

TEST(Explain, WhatWasNotReachedOrNotReadIsSaid) {
  const StepFacts unknown{.name = "[2/2] RUN x", .line = 2, .facts = {}};
  EXPECT_EQ(last_step(build("n", "dn", {kBase, unknown}), {}).reason, Reason::NotReached);
  EXPECT_EQ(last_step(build("n", "du", {kBase, unknown}), {}).reason, Reason::NotNeeded);
  EXPECT_EQ(last_step(build("n", "df", {kBase, unknown}), {}).reason, Reason::Unreadable);
}

TEST(Explain, TheCauseIsFollowedToTheStepWhereItBegan) {
  const auto chain = [](const std::string& version, const std::string& p, const std::string& q) {
    return std::vector<StepFacts>{run_step("[1/3] RUN a", "a", "o", {{"V", version}}),
                                  run_step("[2/3] RUN b", "b", p, {}, 0),
                                  run_step("[3/3] RUN c", "c", q, {}, 1)};
  };
  const auto step = last_step(build("n", "rrr", chain("2", "p2", "q2")),
                              build("t", "rrr", chain("1", "p1", "q1")));
  ASSERT_TRUE(step.cause);
  EXPECT_EQ(step.cause->step, 0U);
  EXPECT_FALSE(step.cause->came_out_different);
  ASSERT_TRUE(step.cause->difference);
  EXPECT_EQ(step.cause->difference->name, "V");
}

TEST(Explain, AStepThatRanAgainAndCameOutDifferentIsTheCause) {
  const auto chain = [](const std::string& p) {
    return std::vector<StepFacts>{run_step("[1/2] RUN date", "date", "o"),
                                  run_step("[2/2] RUN b", "b", p, {}, 0)};
  };
  const auto step = last_step(build("n", "Rr", chain("p2")), build("t", "rr", chain("p1")));
  ASSERT_TRUE(step.cause);
  EXPECT_EQ(step.cause->step, 0U);
  EXPECT_TRUE(step.cause->came_out_different);
}

TEST(Explain, AStepThatRanAgainAndCameOutTheSameIsNamedByWhatWasFound) {
  const std::vector<StepFacts> steps{run_step("[1/2] RUN a", "a", "o"),
                                     run_step("[2/2] RUN b", "b", "p", {}, 0)};
  for (const std::string outcomes : {"Rh", "rc"}) {
    const auto step = last_step(build("n", outcomes, steps), {});
    ASSERT_TRUE(step.cause) << outcomes;
    EXPECT_EQ(step.cause->step, 0U);
    EXPECT_FALSE(step.cause->came_out_different);
  }
  EXPECT_FALSE(last_step(build("n", "hh", steps), {}).cause);
}

TEST(Explain, FilesAreNamedFromTheManifests) {
  const auto copy = [](const std::string& selection) {
    return StepFacts{.name = "[2/2] COPY a b",
                     .line = 1,
                     .facts = {fact(FactKind::Files, "input", "the build context", selection)}};
  };
  FakePast past;
  past.builds.push_back(build("t", "dr", {kBase, copy("s1")}));
  past.manifests["s1"]["a"].content = 1;
  past.manifests["s2"]["a"].content = 2;
  const auto now = explain(build("n", "dr", {kBase, copy("s2")}), past).steps.back();
  ASSERT_EQ(now.differences.size(), 1U);
  EXPECT_TRUE(now.differences[0].files_known);
  ASSERT_EQ(now.differences[0].files.size(), 1U);
  EXPECT_EQ(now.differences[0].files[0].path, "a");
  const auto unknown = explain(build("n", "dr", {kBase, copy("s3")}), past).steps.back();
  EXPECT_FALSE(unknown.differences[0].files_known);
}

TEST(Explain, ASourceSaysWhatItIsNow) {
  const auto step = last_step(build("n", "d", {base_step("[1/1] FROM a", "a", "c2")}),
                              build("t", "d", {base_step("[1/1] FROM a", "a", "c1")}));
  EXPECT_EQ(step.reason, Reason::Source);
  ASSERT_EQ(step.differences.size(), 1U);
  EXPECT_EQ(step.differences[0].kind, FactKind::Base);
}

TEST(Explain, TheNewestOfTheNearestBuildsIsComparedWith) {
  FakePast past;
  past.builds.push_back(
      build("newest", "dr", {kBase, run_step("[2/2] RUN x", "x", "p", {{"V", "2"}})}));
  past.builds.push_back(
      build("oldest", "dr", {kBase, run_step("[2/2] RUN x", "x", "p", {{"V", "1"}})}));
  const auto now = run_step("[2/2] RUN x", "x", "p", {{"V", "3"}});
  EXPECT_EQ(explain(build("n", "dr", {kBase, now}), past).steps.back().compared_build, "newest");
}

}  // namespace
}  // namespace mybuild::explain
