// SPDX-License-Identifier: Apache-2.0
// EnvList: variables in the order in which they were last set, as a step sees them. A copy is cheap
// enough to make one per stage; look-up does not slow down with size. Value type.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mybuild::frontend {

class EnvList {
 public:
  /// Sets and moves to the end.
  void set(std::string_view name, std::string_view value);
  /// Null when it is not set.
  const std::string* find(std::string_view name) const;
  /// "K=V" in order.
  std::vector<std::string> strings() const;
  std::vector<std::string> names() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Variable {
    std::string name;
    std::string value;
    bool live = true;  // false: set again further down
  };
  void compact();

  std::vector<Variable> variables_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> index_;
};

}  // namespace mybuild::frontend
