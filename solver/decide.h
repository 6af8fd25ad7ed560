// SPDX-License-Identifier: Apache-2.0
// decide: the whole logic of the scheduler as one pure function over one vertex. No thread, no
// clock, no I/O: it is tested by tables. The scheduler owns the states, calls it for each event,
// and carries the actions out.
#pragma once

#include "solver/vertex_state.h"

#include <cstdint>

namespace mybuild::solver {

class VertexActions {
 public:
  VertexActions() = default;
  VertexActions(VertexAction action) : bits_(static_cast<std::uint8_t>(action)) {}
  friend VertexActions operator|(VertexActions a, VertexActions b) {
    VertexActions both;
    both.bits_ = static_cast<std::uint8_t>(a.bits_ | b.bits_);
    return both;
  }
  bool has(VertexAction action) const { return (bits_ & static_cast<std::uint8_t>(action)) != 0; }
  bool operator==(const VertexActions&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

struct Decision {
  VertexState state;
  VertexActions actions;
  bool operator==(const Decision&) const = default;
};

/// Events that make no sense in a phase change nothing, so late answers of a stopped build are
/// harmless.
Decision decide(VertexState state, VertexEvent event, VertexKind kind);

}  // namespace mybuild::solver
