// SPDX-License-Identifier: Apache-2.0
// SourceMap: the text of a Dockerfile by line numbers, for errors and for the place of each vertex.
// Holds a view: the text must outlive it. Immutable; thread-safe.
#pragma once

#include "snapshotter/base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// Lines count from 1, both ends included; {0, 0} is "no place".
struct LineRange {
  int first = 0;
  int last = 0;
  bool operator==(const LineRange&) const = default;
};

class SourceMap {
 public:
  SourceMap(std::string file, std::string_view text);

  int line_count() const { return static_cast<int>(starts_.size()); }
  /// Without the line break.
  std::string_view line(int number) const;
  /// The range with its excerpt: the lines around, numbered, the range marked by ">>>", as BuildKit
  /// shows them.
  SourceLocation locate(LineRange range) const;

 private:
  std::string excerpt(LineRange range) const;

  std::string file_;
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

}  // namespace mybuild::frontend
