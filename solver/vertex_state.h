// SPDX-License-Identifier: Apache-2.0
// Where a vertex is on its way, and what can happen to it. Two ways run side by side: the key is
// made as soon as the keys of the inputs are known, long before their results; the result needs
// both. Value types.
#pragma once

#include <cstdint>

namespace mybuild::solver {

/// What decides how a vertex is keyed and when it runs.
enum class VertexKind : std::uint8_t {
  Source,  // runs at once; what came out is its key
  Merge,   // runs as soon as its inputs are there; nothing is looked up for it
  Step,    // is looked up, and runs on a miss
};

enum class Phase : std::uint8_t {
  Idle,     // nobody asked for it yet
  Waiting,  // for its inputs, or for the records of its key
  Probing,  // its records are compared with the inputs
  Running,  // on a lane; may still be found there, by content
  Done,
  Failed,   // by itself
  Dropped,  // not started because the build stops
};

enum class KeyPhase : std::uint8_t {
  Unknown,
  Making,    // on a lane when files must be read for it
  Known,     // its records are asked for
  LookedUp,  // and are here
};

struct VertexState {
  Phase phase = Phase::Idle;
  KeyPhase key = KeyPhase::Unknown;
  std::uint32_t inputs_left = 0;  // inputs that are not done yet
  std::uint32_t keys_left = 0;    // inputs whose keys are not known yet
  bool cached = false;            // Done without running
  bool operator==(const VertexState&) const = default;
};

enum class VertexEvent : std::uint8_t {
  Demanded,    // a target, or somebody's input
  InputKeyed,  // one input more has a key
  Keyed,       // the definition key is made
  LookedUp,    // the index has answered
  InputDone,   // one input more
  Hit,         // a usable record was found
  Miss,        // none by the definition key
  Finished,
  Failed,  // the key, the probe or the run
  Stop,    // the build is over: another vertex failed, or it was cancelled
};

/// What the scheduler does next; a set.
enum class VertexAction : std::uint8_t {
  DemandInputs = 1,
  MakeKey = 2,
  NotifyKeyed = 4,
  LookUp = 8,
  Probe = 16,
  Exec = 32,
  NotifyDependants = 64,
  StopBuild = 128,
};

}  // namespace mybuild::solver
