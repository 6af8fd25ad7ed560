// SPDX-License-Identifier: Apache-2.0
#include "solver/decide.h"

#include <gtest/gtest.h>

namespace mybuild::solver {
namespace {

VertexState in(Phase phase, KeyPhase key = KeyPhase::Unknown, std::uint32_t inputs_left = 0,
               std::uint32_t keys_left = 0) {
  return {.phase = phase, .key = key, .inputs_left = inputs_left, .keys_left = keys_left};
}

VertexState done(KeyPhase key, bool cached) {
  return {.phase = Phase::Done, .key = key, .cached = cached};
}

using P = Phase;
using K = KeyPhase;
using E = VertexEvent;
using A = VertexAction;
constexpr VertexKind kSource = VertexKind::Source;
constexpr VertexKind kMerge = VertexKind::Merge;
constexpr VertexKind kStep = VertexKind::Step;

struct Case {
  const char* story;
  VertexKind kind;
  VertexState state;
  VertexEvent event;
  VertexState next;
  VertexActions actions;
};

VertexActions both(A a, A b) {
  return VertexActions(a) | b;
}

const Case kCases[] = {
    {"a step without inputs gets its key as soon as it is wanted", kStep, in(P::Idle), E::Demanded,
     in(P::Waiting, K::Making), A::MakeKey},
    {"a source runs at once", kSource, in(P::Idle), E::Demanded, in(P::Running), A::Exec},
    {"a step asks for its inputs first", kStep, in(P::Idle, K::Unknown, 2, 2), E::Demanded,
     in(P::Waiting, K::Unknown, 2, 2), A::DemandInputs},
    {"a step whose inputs have keys makes its own, long before they have results", kStep,
     in(P::Waiting, K::Unknown, 1, 1), E::InputKeyed, in(P::Waiting, K::Making, 1), A::MakeKey},
    {"one key of two is not enough",
     kStep,
     in(P::Waiting, K::Unknown, 2, 2),
     E::InputKeyed,
     in(P::Waiting, K::Unknown, 2, 1),
     {}},
    {"a second demand changes nothing",
     kStep,
     in(P::Waiting, K::Unknown, 2, 2),
     E::Demanded,
     in(P::Waiting, K::Unknown, 2, 2),
     {}},
    {"a key is passed on, and its records are asked for", kStep, in(P::Waiting, K::Making, 1),
     E::Keyed, in(P::Waiting, K::Known, 1), both(A::NotifyKeyed, A::LookUp)},
    {"for a merge nothing is looked up", kMerge, in(P::Waiting, K::Making, 1), E::Keyed,
     in(P::Waiting, K::Known, 1), A::NotifyKeyed},
    {"records alone are not enough",
     kStep,
     in(P::Waiting, K::Known, 1),
     E::LookedUp,
     in(P::Waiting, K::LookedUp, 1),
     {}},
    {"with the inputs done they are compared", kStep, in(P::Waiting, K::LookedUp, 1), E::InputDone,
     in(P::Probing, K::LookedUp), A::Probe},
    {"and so they are when they come last", kStep, in(P::Waiting, K::Known), E::LookedUp,
     in(P::Probing, K::LookedUp), A::Probe},
    {"inputs that are done before the records came are waited with",
     kStep,
     in(P::Waiting, K::Known, 1),
     E::InputDone,
     in(P::Waiting, K::Known),
     {}},
    {"a merge runs as soon as its inputs are there", kMerge, in(P::Waiting, K::Known, 1),
     E::InputDone, in(P::Running, K::Known), A::Exec},
    {"keys that come when it runs are waited for by others", kMerge,
     in(P::Running, K::Unknown, 0, 1), E::InputKeyed, in(P::Running, K::Making), A::MakeKey},
    {"as when it is done", kMerge, in(P::Done, K::Unknown, 0, 1), E::InputKeyed,
     in(P::Done, K::Making), A::MakeKey},
    {"an input that is done before anybody wants the step is only counted",
     kStep,
     in(P::Idle, K::Unknown, 1),
     E::InputDone,
     in(P::Idle),
     {}},
    {"a hit ends the step without running it", kStep, in(P::Probing, K::LookedUp), E::Hit,
     done(K::LookedUp, true), A::NotifyDependants},
    {"a miss runs it", kStep, in(P::Probing, K::LookedUp), E::Miss, in(P::Running, K::LookedUp),
     A::Exec},
    {"what is found by content on the lane counts as found", kStep, in(P::Running, K::LookedUp),
     E::Hit, done(K::LookedUp, true), A::NotifyDependants},
    {"what is compared has not run",
     kStep,
     in(P::Probing, K::LookedUp),
     E::Finished,
     in(P::Probing, K::LookedUp),
     {}},
    {"the end of the run is told to dependants", kStep, in(P::Running, K::LookedUp), E::Finished,
     done(K::LookedUp, false), A::NotifyDependants},
    {"what came out of a source is its key", kSource, in(P::Running), E::Finished,
     done(K::Unknown, false), both(A::NotifyDependants, A::NotifyKeyed)},
    {"a failed run stops the build", kStep, in(P::Running, K::LookedUp), E::Failed,
     in(P::Failed, K::LookedUp), A::StopBuild},
    {"so does a failed lookup", kStep, in(P::Probing, K::LookedUp), E::Failed,
     in(P::Failed, K::LookedUp), A::StopBuild},
    {"and a key that could not be made", kStep, in(P::Waiting, K::Making, 1), E::Failed,
     in(P::Failed, K::Making, 1), A::StopBuild},
    {"a stop drops what waits",
     kStep,
     in(P::Waiting, K::Known, 1),
     E::Stop,
     in(P::Dropped, K::Known, 1),
     {}},
    {"a stop leaves what runs to its end",
     kStep,
     in(P::Running, K::LookedUp),
     E::Stop,
     in(P::Running, K::LookedUp),
     {}},
    {"a stop does not undo what is done",
     kStep,
     done(K::LookedUp, true),
     E::Stop,
     done(K::LookedUp, true),
     {}},
    {"a dropped step is not started by a late input",
     kStep,
     in(P::Dropped, K::LookedUp, 1),
     E::InputDone,
     in(P::Dropped, K::LookedUp),
     {}},
    {"a dropped step is not started by a late demand",
     kStep,
     in(P::Dropped),
     E::Demanded,
     in(P::Dropped),
     {}},
    {"a dropped step does not pass on a late key",
     kStep,
     in(P::Dropped, K::Making, 1),
     E::Keyed,
     in(P::Dropped, K::Making, 1),
     {}},
    {"a late answer for a failed step changes nothing",
     kStep,
     in(P::Failed, K::LookedUp),
     E::Finished,
     in(P::Failed, K::LookedUp),
     {}},
};

class DecideTest : public testing::TestWithParam<Case> {};

TEST_P(DecideTest, FollowsTheTable) {
  const Case& row = GetParam();
  const Decision decision = decide(row.state, row.event, row.kind);
  EXPECT_EQ(decision.state, row.next) << row.story;
  EXPECT_EQ(decision.actions, row.actions) << row.story;
}

INSTANTIATE_TEST_SUITE_P(Table, DecideTest, testing::ValuesIn(kCases));

TEST(DecideTest, NoEventSequenceDoesAnythingTwice) {
  constexpr E kEvents[] = {E::Demanded, E::InputKeyed, E::Keyed,    E::LookedUp, E::InputDone,
                           E::Hit,      E::Miss,       E::Finished, E::Failed,   E::Stop};
  constexpr A kOnce[] = {A::DemandInputs, A::MakeKey, A::NotifyKeyed,      A::LookUp,
                         A::Probe,        A::Exec,    A::NotifyDependants, A::StopBuild};
  // Every sequence of six events from a fresh vertex with one input.
  for (const VertexKind kind : {kSource, kMerge, kStep}) {
    for (int code = 0; code < 1'000'000; ++code) {
      VertexState state = in(P::Idle, K::Unknown, 1, 1);
      std::uint8_t seen = 0;
      for (int step = 0, rest = code; step < 6; ++step, rest /= 10) {
        const Decision decision = decide(state, kEvents[rest % 10], kind);
        state = decision.state;
        for (const A action : kOnce) {
          const auto bit = static_cast<std::uint8_t>(action);
          ASSERT_FALSE(decision.actions.has(action) && (seen & bit) != 0) << code;
          seen = static_cast<std::uint8_t>(seen | (decision.actions.has(action) ? bit : 0));
        }
      }
    }
  }
}

}  // namespace
}  // namespace mybuild::solver
