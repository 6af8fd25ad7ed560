// SPDX-License-Identifier: Apache-2.0
// The Dockerfile as untyped nodes: one per instruction, its arguments split by that instruction's
// grammar, nothing expanded. Value types.
#pragma once

#include "frontend/dockerfile/source_map.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::frontend {

struct Heredoc {
  std::string name;
  std::string content;      // with line breaks, tabs not yet stripped
  bool expand = true;       // false: the delimiter was quoted
  bool strip_tabs = false;  // <<-
  bool operator==(const Heredoc&) const = default;
};

/// "# name=value" at the head of the file.
struct Directive {
  std::string name;  // lower case: syntax, escape, check
  std::string value;
  int line = 0;
};

struct Node {
  std::string verb;                // lower case
  std::string original_verb;       // as written
  std::vector<std::string> flags;  // "--name=value"
  std::vector<std::string> args;   // ENV, LABEL: key, value, key, value, …
  bool json = false;               // the arguments were a JSON array
  bool legacy_pair = false;        // ENV k v
  std::vector<Heredoc> heredocs;
  std::unique_ptr<Node> trigger;      // ONBUILD
  std::string original;               // the logical line, continuations joined
  std::vector<std::string> comments;  // the comment lines directly above
  LineRange lines;
};

struct Document {
  std::vector<Node> nodes;
  std::vector<Directive> directives;
  char escape = '\\';
  std::vector<LineRange> empty_continuations;  // the ends of instructions with a blank line inside

  /// Null when there is no such directive.
  const Directive* directive(std::string_view name) const;
};

}  // namespace mybuild::frontend
