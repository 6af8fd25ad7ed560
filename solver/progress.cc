// SPDX-License-Identifier: Apache-2.0
#include "solver/progress.h"

#include "solver/key.h"

namespace mybuild::solver {

VertexId internal_vertex(std::string_view name) {
  return VertexId{KeyBuilder("mybuild.internal.v1").add(name).finish()};
}

}  // namespace mybuild::solver
