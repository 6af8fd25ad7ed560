// SPDX-License-Identifier: Apache-2.0
// Flags: a command's options as one table of rows (name, letter, argument, help, setter), from
// which the parser and
// --help are made. A row without a setter is an option that docker has and we do not: it is refused
// by name, never ignored. Follows docker's rules (pflag): --name=value, --name value, -n value,
// -nvalue, -abc, --. Thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cli {

struct FlagSpec {
  std::string_view name;
  char letter = 0;  // 0: no short form
  std::string_view argument =
      {};  // stands for the value in --help; empty: a switch, whose value is "true" or "false"
  std::string_view help = {};
  bool repeatable = false;
};

template <class Options>
struct Flag {
  FlagSpec spec;
  Status (*set)(Options& options, std::string_view value) = nullptr;  // null: not supported yet
};

struct Parsed {
  std::vector<std::string> positionals;
  bool help = false;  // --help was met; what stands after it was not looked at
};

class FlagSet {
 public:
  /// How options and positionals may be mixed.
  enum class Order {
    Interspersed,  // options anywhere
    FlagsFirst,    // all that follows the first positional is positional
  };
  struct Row {
    const FlagSpec* spec = nullptr;
    bool supported = false;
  };

  /// `table` and `options` outlive the set.
  template <class Options, std::size_t N>
  void add(const Flag<Options> (&table)[N], Options& options) {
    for (const Flag<Options>& flag : table) {
      entries_.push_back(Entry{.row = {.spec = &flag.spec, .supported = flag.set != nullptr},
                               .flag = &flag,
                               .options = &options,
                               .apply = &apply_to<Options>});
    }
  }

  /// Calls the setters in the order of the arguments. Errors name the option as it was written.
  Result<Parsed> parse(std::span<const std::string> args, Order order) const;
  /// In table order, for --help.
  std::vector<Row> rows() const;

 private:
  struct Entry {
    Row row;
    const void* flag;
    void* options;
    Status (*apply)(const void* flag, void* options, std::string_view value);
  };
  class Parser;

  template <class Options>
  static Status apply_to(const void* flag, void* options, std::string_view value) {
    return static_cast<const Flag<Options>*>(flag)->set(*static_cast<Options*>(options), value);
  }
  const Entry* find(std::string_view name) const;
  const Entry* find(char letter) const;

  std::vector<Entry> entries_;
};

/// "did you mean …?" for a word that is close to one of `known`; empty when none is.
std::string closest(std::string_view word, std::span<const std::string_view> known);

}  // namespace mybuild::cli
