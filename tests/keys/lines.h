// SPDX-License-Identifier: Apache-2.0
// A line of solver/key_schema.md as a test: something about a step or a file that changes its key,
// or that must not. Value types.
#pragma once

#include "snapshotter/base/digest.h"
#include "solver/graph/op_spec.h"
#include "solver/key.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::keys {

struct Line {
  std::string name;  // as in key_schema.md: "command.args"
  bool counts = true;
  Digest before;
  Digest after;
};
using Lines = std::vector<Line>;

std::vector<Lines> op_lines();    // what a step is
std::vector<Lines> tree_lines();  // what files are, and how keys are put together

/// Lines about one kind of value: `key` makes the key, each line edits a copy.
template <class T>
class LinesOf {
 public:
  LinesOf(std::string kind, T value, std::function<Digest(const T&)> key)
      : kind_(std::move(kind)), value_(std::move(value)), key_(std::move(key)) {}

  LinesOf& in(const std::string& field, const std::function<void(T&)>& edit) {
    return add(field, true, edit);
  }
  LinesOf& not_in(const std::string& field, const std::function<void(T&)>& edit) {
    return add(field, false, edit);
  }
  Lines lines() const { return lines_; }

 private:
  LinesOf& add(const std::string& field, bool counts, const std::function<void(T&)>& edit) {
    T edited = value_;
    edit(edited);
    lines_.push_back({kind_ + "." + field, counts, key_(value_), key_(edited)});
    return *this;
  }

  std::string kind_;
  T value_;
  std::function<Digest(const T&)> key_;
  Lines lines_;
};

/// The definition key of an op without inputs.
inline Digest key_of(const solver::OpSpec& op) {
  return solver::definition_key(solver::encode(op), {}).digest;
}

}  // namespace mybuild::keys
