// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/env_list.h"

#include <algorithm>

namespace mybuild::frontend {

void EnvList::set(std::string_view name, std::string_view value) {
  const auto found = index_.find(name);
  if (found != index_.end()) {
    variables_[found->second].live = false;
    found->second = variables_.size();
  } else {
    index_.emplace(name, variables_.size());
  }
  variables_.push_back({std::string(name), std::string(value)});
  if (variables_.size() > 2 * index_.size() + 16) {
    compact();
  }
}

void EnvList::compact() {
  std::erase_if(variables_, [](const Variable& variable) { return !variable.live; });
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    index_.find(variables_[i].name)->second = i;
  }
}

const std::string* EnvList::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &variables_[found->second].value;
}

std::vector<std::string> EnvList::strings() const {
  std::vector<std::string> out;
  out.reserve(index_.size());
  for (const Variable& variable : variables_) {
    if (variable.live) {
      out.push_back(variable.name + "=" + variable.value);
    }
  }
  return out;
}

std::vector<std::string> EnvList::names() const {
  std::vector<std::string> out;
  out.reserve(index_.size());
  for (const Variable& variable : variables_) {
    if (variable.live) {
      out.push_back(variable.name);
    }
  }
  return out;
}

}  // namespace mybuild::frontend
