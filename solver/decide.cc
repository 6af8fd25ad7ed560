// SPDX-License-Identifier: Apache-2.0
#include "solver/decide.h"

namespace mybuild::solver {

namespace {

bool is_final(Phase phase) {
  return phase == Phase::Done || phase == Phase::Failed || phase == Phase::Dropped;
}

/// A merge may be done before the keys of its inputs are there; others wait for its own.
bool can_make_key(VertexState state, VertexKind kind) {
  const bool is_wanted =
      state.phase == Phase::Waiting || state.phase == Phase::Running || state.phase == Phase::Done;
  return is_wanted && kind != VertexKind::Source && state.key == KeyPhase::Unknown &&
         state.keys_left == 0;
}

/// What a wanted vertex can do by now.
Decision advance(VertexState state, VertexKind kind, VertexActions actions = {}) {
  if (can_make_key(state, kind)) {
    state.key = KeyPhase::Making;
    actions = actions | VertexAction::MakeKey;
  }
  if (state.phase != Phase::Waiting || state.inputs_left > 0) {
    return {state, actions};
  }
  if (kind != VertexKind::Step) {
    state.phase = Phase::Running;
    actions = actions | VertexAction::Exec;
  } else if (state.key == KeyPhase::LookedUp) {
    state.phase = Phase::Probing;
    actions = actions | VertexAction::Probe;
  }
  return {state, actions};
}

Decision on_demanded(VertexState state, VertexKind kind) {
  if (state.phase != Phase::Idle) {
    return {state, {}};
  }
  state.phase = Phase::Waiting;
  const VertexActions demand =
      state.inputs_left > 0 ? VertexActions(VertexAction::DemandInputs) : VertexActions();
  return advance(state, kind, demand);
}

Decision on_input_keyed(VertexState state, VertexKind kind) {
  if (state.keys_left > 0) {
    --state.keys_left;
  }
  return advance(state, kind);
}

Decision on_input_done(VertexState state, VertexKind kind) {
  if (state.inputs_left > 0) {
    --state.inputs_left;
  }
  return advance(state, kind);
}

Decision on_keyed(VertexState state, VertexKind kind) {
  if (state.key != KeyPhase::Making || state.phase == Phase::Failed ||
      state.phase == Phase::Dropped) {
    return {state, {}};
  }
  state.key = KeyPhase::Known;
  const VertexActions keyed = VertexAction::NotifyKeyed;
  return {state, kind == VertexKind::Step ? keyed | VertexAction::LookUp : keyed};
}

Decision on_looked_up(VertexState state) {
  if (state.key != KeyPhase::Known) {
    return {state, {}};
  }
  state.key = KeyPhase::LookedUp;
  return advance(state, VertexKind::Step);
}

Decision on_miss(VertexState state) {
  if (state.phase != Phase::Probing) {
    return {state, {}};
  }
  state.phase = Phase::Running;
  return {state, VertexAction::Exec};
}

Decision finish(VertexState state, bool cached, VertexKind kind) {
  if (state.phase != Phase::Running && (state.phase != Phase::Probing || !cached)) {
    return {state, {}};
  }
  state.phase = Phase::Done;
  state.cached = cached;
  const VertexActions done = VertexAction::NotifyDependants;
  return {state, kind == VertexKind::Source ? done | VertexAction::NotifyKeyed : done};
}

Decision on_failed(VertexState state) {
  if (is_final(state.phase) || state.phase == Phase::Idle) {
    return {state, {}};
  }
  state.phase = Phase::Failed;
  return {state, VertexAction::StopBuild};
}

/// What runs is left to end by itself (its lane sees the Cancel); the rest is not started any more.
Decision on_stop(VertexState state) {
  if (state.phase == Phase::Idle || state.phase == Phase::Waiting) {
    state.phase = Phase::Dropped;
  }
  return {state, {}};
}

}  // namespace

Decision decide(VertexState state, VertexEvent event, VertexKind kind) {
  switch (event) {
    case VertexEvent::Demanded:
      return on_demanded(state, kind);
    case VertexEvent::InputKeyed:
      return on_input_keyed(state, kind);
    case VertexEvent::Keyed:
      return on_keyed(state, kind);
    case VertexEvent::LookedUp:
      return on_looked_up(state);
    case VertexEvent::InputDone:
      return on_input_done(state, kind);
    case VertexEvent::Hit:
      return finish(state, true, kind);
    case VertexEvent::Miss:
      return on_miss(state);
    case VertexEvent::Finished:
      return finish(state, false, kind);
    case VertexEvent::Failed:
      return on_failed(state);
    case VertexEvent::Stop:
      return on_stop(state);
  }
  return {state, {}};
}

}  // namespace mybuild::solver
