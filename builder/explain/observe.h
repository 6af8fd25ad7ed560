// SPDX-License-Identifier: Apache-2.0
// From a graph and what became of it to facts and states. Pure functions, thread-safe.
#pragma once

#include "builder/explain/facts.h"
#include "solver/graph/graph.h"
#include "solver/scheduler.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::explain {

/// A build that is over.
struct Observed {
  const solver::Graph& graph;
  const std::vector<solver::Edge>& targets;
  const solver::SolveResult& solved;
};

/// Stands for what facts_of() says, and is cheap: by vertex its definition, keys, result and place.
Digest facts_digest(const Observed& build);
/// By vertex. `build_args`: variables that are known to be build arguments.
std::vector<StepFacts> facts_of(const Observed& build, const std::set<std::string>& build_args);
/// By vertex, a letter of StepState each.
std::string outcomes_of(const Observed& build);

/// What ARG declares in the text of a Dockerfile, and ENV does not.
std::set<std::string> declared_build_args(std::string_view dockerfile);

/// The facts of an op without its inputs.
std::vector<Fact> op_facts(const solver::OpSpec& op, const std::set<std::string>& build_args);

}  // namespace mybuild::explain
