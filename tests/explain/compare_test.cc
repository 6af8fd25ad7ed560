// SPDX-License-Identifier: Apache-2.0
// A difference of each kind, and which step of an earlier build is the nearest.
#include "builder/explain/compare.h"

#include "tests/explain/steps.h"

#include <gtest/gtest.h>

namespace mybuild::explain {
namespace {

TEST(Differences, OfEqualStepsThereAreNone) {
  const StepFacts step = run_step("[2/2] RUN a", "a", "parent");
  EXPECT_TRUE(differences(step, step).empty());
}

TEST(Differences, EachKindIsNamedWithWhatWasAndWhatIs) {
  for (int kind = 0; kind <= static_cast<int>(FactKind::Step); ++kind) {
    const auto as = static_cast<FactKind>(kind);
    const StepFacts then{.name = "s", .line = 1, .facts = {fact(as, "p", "n", "1")}};
    const StepFacts now{.name = "s", .line = 1, .facts = {fact(as, "p", "n", "2")}};
    const auto found = differences(then, now);
    ASSERT_EQ(found.size(), 1U) << kind;
    EXPECT_EQ(found[0].kind, as);
    EXPECT_EQ(found[0].change, ChangeKind::Changed);
    EXPECT_EQ(found[0].name, "n");
    EXPECT_EQ(found[0].was, "1");
    EXPECT_EQ(found[0].is, "2");
  }
}

TEST(Differences, WhatIsNewOrGoneIsNamed) {
  StepFacts then = run_step("[2/2] RUN a", "a", "parent");
  StepFacts now = then;
  now.facts.push_back(fact(FactKind::Variable, "variable A", "A", "1"));
  then.facts.push_back(fact(FactKind::Mount, "mount /m", "/m", "type=tmpfs"));
  const auto found = differences(then, now);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].change, ChangeKind::Added);
  EXPECT_EQ(found[0].name, "A");
  EXPECT_EQ(found[1].change, ChangeKind::Removed);
  EXPECT_EQ(found[1].was, "type=tmpfs");
}

TEST(Differences, TheOrderOfVariablesCounts) {
  StepFacts then{.name = "s", .line = 1, .facts = {}};
  then.facts = {fact(FactKind::Variable, "variable A", "A", "1"),
                fact(FactKind::Variable, "variable B", "B", "2")};
  StepFacts now = then;
  std::swap(now.facts[0], now.facts[1]);
  const auto found = differences(then, now);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].change, ChangeKind::Order);
  EXPECT_EQ(found[0].name, "B");
  EXPECT_EQ(found[0].was_name, "A");
}

TEST(Differences, WhatSomebodyWroteComesBeforeTheStepBelow) {
  const StepFacts then = run_step("[2/2] RUN a", "a", "parent", {{"V", "1"}});
  const StepFacts now = run_step("[2/2] RUN a", "a", "other", {{"V", "2"}});
  const auto found = differences(then, now);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, FactKind::BuildArg);
  EXPECT_EQ(found[1].kind, FactKind::Step);
}

TEST(Differences, FilesThatWereNotLookedAtAreAsTheTreeTheyLieIn) {
  Fact known = fact(FactKind::Files, "input", "[a 1/1] RUN a", "d1");
  known.origin = "o1";
  Fact unknown = known;
  unknown.value.clear();
  const StepFacts then{.name = "s", .line = 1, .facts = {known}};
  EXPECT_TRUE(differences(then, {.name = "s", .line = 1, .facts = {unknown}}).empty());
  unknown.origin = "o2";
  EXPECT_EQ(differences(then, {.name = "s", .line = 1, .facts = {unknown}}).size(), 1U);
}

TEST(StepName, IsTakenApart) {
  const StepName name = parse_name("[linux/arm64 build  2/12] RUN make [x] ");
  EXPECT_EQ(name.stage, "linux/arm64 build");
  EXPECT_EQ(name.number, 2);
  EXPECT_EQ(name.verb, "RUN");
  EXPECT_EQ(name.text, "RUN make [x] ");
  EXPECT_EQ(parse_name("[2/3] COPY a b").stage, "");
  EXPECT_EQ(parse_name("[2/3] COPY a b").number, 2);
  EXPECT_EQ(parse_name("[internal] x").number, 0);
  EXPECT_EQ(parse_name("").text, "");
}

std::optional<int> far(const StepFacts& then, const StepFacts& now, bool same_subject = true) {
  const std::vector<StepFacts> earlier{then};
  return distance({same_subject, &earlier, 0}, now, {now});
}

TEST(Distance, AnEditedInstructionIsNearerThanOneOfAnotherDockerfile) {
  const StepFacts now = run_step("[2/3] RUN make", "make", "p");
  const auto same = far(now, now);
  const auto moved = far(run_step("[3/4] RUN make", "make", "p"), now);
  const auto edited = far(run_step("[2/3] RUN make all", "make all", "p"), now);
  const auto elsewhere = far(now, now, false);
  ASSERT_TRUE(same && moved && edited && elsewhere);
  EXPECT_LT(*same, *moved);
  EXPECT_LT(*moved, *edited);
  EXPECT_LT(*edited, *elsewhere);
}

TEST(Distance, AnotherInstructionIsNoCandidate) {
  EXPECT_FALSE(far(run_step("[2/3] COPY a b", "a b", "p"), run_step("[2/3] RUN make", "m", "p")));
  const StepFacts nothing_known{.name = "[2/3] RUN make", .line = 1, .facts = {}};
  EXPECT_FALSE(far(nothing_known, run_step("[2/3] RUN make", "m", "p")));
}

TEST(Distance, AnInsertedInstructionIsNotTheOneThatMovedOn) {
  const StepFacts inserted = run_step("[2/3] RUN new", "new", "p");
  const StepFacts moved = run_step("[3/3] RUN old", "old", "q");
  const std::vector<StepFacts> earlier{run_step("[2/2] RUN old", "old", "p")};
  EXPECT_FALSE(distance({true, &earlier, 0}, inserted, {inserted, moved}));
  EXPECT_EQ(distance({true, &earlier, 0}, moved, {inserted, moved}), 1);
}

}  // namespace
}  // namespace mybuild::explain
