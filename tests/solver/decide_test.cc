// SPDX-License-Identifier: Apache-2.0
#include "solver/decide.h"

#include <gtest/gtest.h>

namespace mybuild::solver {
namespace {

VertexState in(Phase phase, std::uint32_t inputs_left = 0) {
  return {.phase = phase, .inputs_left = inputs_left};
}

struct Case {
  const char* story;
  VertexState state;
  VertexEvent event;
  bool is_direct;
  VertexState next;
  VertexActions actions;
};

const Case kCases[] = {
    {"a leaf step is looked up as soon as it is wanted", in(Phase::Idle), VertexEvent::Demanded,
     false, in(Phase::Probing), VertexAction::Probe},
    {"a source runs at once", in(Phase::Idle), VertexEvent::Demanded, true, in(Phase::Running),
     VertexAction::Exec},
    {"a step with inputs asks for them first", in(Phase::Idle, 2), VertexEvent::Demanded, false,
     in(Phase::Waiting, 2), VertexAction::DemandInputs},
    {"a second demand changes nothing",
     in(Phase::Waiting, 2),
     VertexEvent::Demanded,
     false,
     in(Phase::Waiting, 2),
     {}},
    {"one input of two is not enough",
     in(Phase::Waiting, 2),
     VertexEvent::InputDone,
     false,
     in(Phase::Waiting, 1),
     {}},
    {"the last input starts the lookup", in(Phase::Waiting, 1), VertexEvent::InputDone, false,
     in(Phase::Probing), VertexAction::Probe},
    {"an input that is done before anybody wants the step is only counted",
     in(Phase::Idle, 1),
     VertexEvent::InputDone,
     false,
     in(Phase::Idle),
     {}},
    {"a hit ends the step without running it",
     in(Phase::Probing),
     VertexEvent::Hit,
     false,
     {.phase = Phase::Done, .inputs_left = 0, .cached = true},
     VertexAction::NotifyDependants},
    {"a miss runs it", in(Phase::Probing), VertexEvent::Miss, false, in(Phase::Running),
     VertexAction::Exec},
    {"the end of the run is told to dependants", in(Phase::Running), VertexEvent::Finished, false,
     in(Phase::Done), VertexAction::NotifyDependants},
    {"a failed run stops the build", in(Phase::Running), VertexEvent::Failed, false,
     in(Phase::Failed), VertexAction::StopBuild},
    {"so does a failed lookup", in(Phase::Probing), VertexEvent::Failed, false, in(Phase::Failed),
     VertexAction::StopBuild},
    {"a stop drops what waits",
     in(Phase::Waiting, 1),
     VertexEvent::Stop,
     false,
     in(Phase::Dropped, 1),
     {}},
    {"a stop leaves what runs to its end",
     in(Phase::Running),
     VertexEvent::Stop,
     false,
     in(Phase::Running),
     {}},
    {"a stop does not undo what is done",
     in(Phase::Done),
     VertexEvent::Stop,
     false,
     in(Phase::Done),
     {}},
    {"a dropped step is not started by a late input",
     in(Phase::Dropped, 1),
     VertexEvent::InputDone,
     false,
     in(Phase::Dropped),
     {}},
    {"a dropped step is not started by a late demand",
     in(Phase::Dropped),
     VertexEvent::Demanded,
     false,
     in(Phase::Dropped),
     {}},
    {"a late answer for a failed step changes nothing",
     in(Phase::Failed),
     VertexEvent::Finished,
     false,
     in(Phase::Failed),
     {}},
};

class DecideTest : public testing::TestWithParam<Case> {};

TEST_P(DecideTest, FollowsTheTable) {
  const Case& row = GetParam();
  const Decision decision = decide(row.state, row.event, row.is_direct);
  EXPECT_EQ(decision.state, row.next) << row.story;
  EXPECT_EQ(decision.actions, row.actions) << row.story;
}

INSTANTIATE_TEST_SUITE_P(Table, DecideTest, testing::ValuesIn(kCases));

TEST(DecideTest, NoEventSequenceRunsAVertexTwice) {
  constexpr VertexEvent kEvents[] = {
      VertexEvent::Demanded, VertexEvent::InputDone, VertexEvent::Hit, VertexEvent::Miss,
      VertexEvent::Finished, VertexEvent::Failed,    VertexEvent::Stop};
  // Every sequence of six events from a fresh vertex with one input.
  for (int code = 0; code < 7 * 7 * 7 * 7 * 7 * 7; ++code) {
    VertexState state = in(Phase::Idle, 1);
    int started = 0;
    int notified = 0;
    for (int step = 0, rest = code; step < 6; ++step, rest /= 7) {
      const Decision decision = decide(state, kEvents[rest % 7], false);
      state = decision.state;
      started += decision.actions.has(VertexAction::Exec) ? 1 : 0;
      notified += decision.actions.has(VertexAction::NotifyDependants) ? 1 : 0;
    }
    ASSERT_LE(started, 1) << code;
    ASSERT_LE(notified, 1) << code;
  }
}

}  // namespace
}  // namespace mybuild::solver
