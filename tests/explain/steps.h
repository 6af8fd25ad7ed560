// SPDX-License-Identifier: Apache-2.0
// Steps as facts, made by hand.
#pragma once

#include "builder/explain/facts.h"

#include <string>
#include <utility>
#include <vector>

namespace mybuild::explain {

inline Fact fact(FactKind kind, std::string place, std::string name, std::string value) {
  Fact out;
  out.kind = kind;
  out.place = std::move(place);
  out.name = std::move(name);
  out.value = std::move(value);
  return out;
}

/// A command on a step whose result is `parent`; `step` is that step's index, if it matters.
inline StepFacts run_step(std::string name, std::string command, std::string parent,
                          std::vector<std::pair<std::string, std::string>> args = {},
                          std::optional<std::uint32_t> step = {}) {
  StepFacts out;
  out.name = std::move(name);
  out.line = 1;
  out.facts.push_back(fact(FactKind::Command, "command", "", std::move(command)));
  for (auto& [arg, value] : args) {
    out.facts.push_back(fact(FactKind::BuildArg, "variable " + arg, arg, value));
  }
  out.facts.push_back(fact(FactKind::Step, "root", "the parent", std::move(parent)));
  out.facts.back().step = step;
  return out;
}

inline StepFacts base_step(std::string name, std::string reference, std::string chain) {
  StepFacts out;
  out.name = std::move(name);
  out.line = 1;
  out.facts.push_back(fact(FactKind::Base, "source", std::move(reference), std::move(chain)));
  return out;
}

}  // namespace mybuild::explain
