// SPDX-License-Identifier: Apache-2.0
// Linter: where the rules report to. It knows which of them count for this file and this
// instruction, and keeps the first thousand of what they found, in the order of discovery.
// Thread-compatible.
#pragma once

#include "frontend/checks/options.h"
#include "snapshotter/base/error.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace mybuild::frontend::checks {

struct Finding {
  Rule rule;
  std::string detail;
  SourceLocation location;
  bool opted_in = false;  // "experimental=" names the rule
};

/// An instruction: its lines and the comments directly above it.
struct Place {
  int first_line = 0;
  int last_line = 0;
  std::span<const std::string> comments = {};
};

class Linter {
 public:
  using Locate = std::function<SourceLocation(int first_line, int last_line)>;

  /// Before the first add().
  void set_source(Locate locate) { locate_ = std::move(locate); }
  void set_options(Options options) { options_ = std::move(options); }
  /// For the second platform of a build and on, which would say all again.
  void mute() { muted_ = true; }

  void add(Rule rule, const Place& place, std::string detail);
  /// The name that may have been meant, or "". Looking for it takes time, so a file gets a hundred
  /// guesses.
  bool may_guess() const { return !muted_ && guesses_ < kMaxGuesses; }
  std::string_view guess(std::string_view said, std::span<const std::string> names);

  const std::vector<Finding>& findings() const { return findings_; }
  /// "lint violation found for rules: …" if "error=true" asks for it and a rule that is not our
  /// own has struck.
  Status verdict() const;

 private:
  static constexpr int kMaxGuesses = 100;

  bool applies(const RuleInfo& rule, const Place& place) const;

  Locate locate_;
  Options options_;
  bool muted_ = false;
  int guesses_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace mybuild::frontend::checks
