// SPDX-License-Identifier: Apache-2.0
// Where a vertex is on its way, and what can happen to it. Value types.
#pragma once

#include <cstdint>

namespace mybuild::solver {

enum class Phase : std::uint8_t {
  Idle,     // nobody asked for it yet
  Waiting,  // for its inputs
  Probing,  // keys are made and looked up on a lane
  Running,  // on a lane
  Done,
  Failed,   // by itself
  Dropped,  // not started because the build stops
};

struct VertexState {
  Phase phase = Phase::Idle;
  std::uint32_t inputs_left = 0;  // inputs that are not done yet
  bool cached = false;            // Done without running
  bool operator==(const VertexState&) const = default;
};

enum class VertexEvent : std::uint8_t {
  Demanded,   // a target, or somebody's input
  InputDone,  // one input more
  Hit,        // the probe found a usable record
  Miss,
  Finished,
  Failed,  // the probe or the run
  Stop,    // the build is over: another vertex failed, or it was cancelled
};

/// What the scheduler does next; a set.
enum class VertexAction : std::uint8_t {
  DemandInputs = 1,
  Probe = 2,
  Exec = 4,
  NotifyDependants = 8,
  StopBuild = 16,
};

}  // namespace mybuild::solver
