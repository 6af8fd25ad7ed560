// SPDX-License-Identifier: Apache-2.0
// Lexer: bytes to logical lines. Takes care of the byte-order mark, directives, comments,
// continuations and line lengths; hands out heredoc bodies on demand, since only the parser knows
// which instructions have them. Thread-compatible.
#pragma once

#include "frontend/dockerfile/ast.h"
#include "snapshotter/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

struct LogicalLine {
  std::string text;  // continuations joined, leading blanks gone
  std::vector<std::string> comments;
  LineRange lines;
  bool empty_continuation = false;
};

class Lexer {
 public:
  /// `source` must outlive the lexer.
  explicit Lexer(const SourceMap& source) : source_(source) {}

  /// The next line with an instruction; nullopt at the end. Errors carry their place.
  Result<std::optional<LogicalLine>> next();
  /// Reads up to the delimiter. `first_line` is where the instruction began.
  Status read_heredoc(Heredoc& heredoc, int first_line);

  int current_line() const { return line_; }
  char escape() const { return escape_; }
  std::vector<Directive> take_directives() { return std::move(directives_); }

 private:
  void take_comment(std::string_view text);
  bool at_end() const { return line_ >= source_.line_count(); }
  /// The next physical line without its break.
  Result<std::string_view> physical_line();
  /// True when the line is a directive; closes the directives' zone when it is not.
  Result<bool> read_directive(std::string_view line);
  bool cut_continuation(std::string_view& line) const;
  Status join_continuations(LogicalLine& line);
  Error fail(Error error) const;

  const SourceMap& source_;
  int line_ = 0;
  char escape_ = '\\';
  bool directives_done_ = false;
  std::vector<Directive> directives_;
  std::vector<std::string> comments_;
};

}  // namespace mybuild::frontend
