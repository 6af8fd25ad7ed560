// SPDX-License-Identifier: Apache-2.0
#include "solver/decide.h"

namespace mybuild::solver {

namespace {

bool is_final(Phase phase) {
  return phase == Phase::Done || phase == Phase::Failed || phase == Phase::Dropped;
}

/// All inputs are there: look the step up, or run it if it is direct.
Decision start(VertexState state, bool is_direct) {
  state.phase = is_direct ? Phase::Running : Phase::Probing;
  return {state, is_direct ? VertexAction::Exec : VertexAction::Probe};
}

Decision finish(VertexState state, bool cached) {
  state.phase = Phase::Done;
  state.cached = cached;
  return {state, VertexAction::NotifyDependants};
}

Decision on_demanded(VertexState state, bool is_direct) {
  if (state.phase != Phase::Idle) {
    return {state, {}};
  }
  if (state.inputs_left == 0) {
    return start(state, is_direct);
  }
  state.phase = Phase::Waiting;
  return {state, VertexAction::DemandInputs};
}

Decision on_input_done(VertexState state, bool is_direct) {
  if (state.inputs_left > 0) {
    --state.inputs_left;
  }
  if (state.phase == Phase::Waiting && state.inputs_left == 0) {
    return start(state, is_direct);
  }
  return {state, {}};
}

Decision on_miss(VertexState state) {
  if (state.phase != Phase::Probing) {
    return {state, {}};
  }
  state.phase = Phase::Running;
  return {state, VertexAction::Exec};
}

Decision on_failed(VertexState state) {
  if (state.phase != Phase::Probing && state.phase != Phase::Running) {
    return {state, {}};
  }
  state.phase = Phase::Failed;
  return {state, VertexAction::StopBuild};
}

/// What runs is left to end by itself (its lane sees the Cancel); the rest is not started any more.
Decision on_stop(VertexState state) {
  if (!is_final(state.phase) && state.phase != Phase::Running && state.phase != Phase::Probing) {
    state.phase = Phase::Dropped;
  }
  return {state, {}};
}

}  // namespace

Decision decide(VertexState state, VertexEvent event, bool is_direct) {
  switch (event) {
    case VertexEvent::Demanded:
      return on_demanded(state, is_direct);
    case VertexEvent::InputDone:
      return on_input_done(state, is_direct);
    case VertexEvent::Miss:
      return on_miss(state);
    case VertexEvent::Hit:
      return state.phase == Phase::Probing ? finish(state, true) : Decision{state, {}};
    case VertexEvent::Finished:
      return state.phase == Phase::Running ? finish(state, false) : Decision{state, {}};
    case VertexEvent::Failed:
      return on_failed(state);
    case VertexEvent::Stop:
      return on_stop(state);
  }
  return {state, {}};
}

}  // namespace mybuild::solver
