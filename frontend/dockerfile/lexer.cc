// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/lexer.h"

#include "frontend/dockerfile/characters.h"

#include <algorithm>
#include <array>

namespace mybuild::frontend {

namespace {

constexpr std::size_t kMaxLine = 64 * 1024 - 1;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 3> kDirectives{"syntax", "escape", "check"};

bool is_comment(std::string_view line) {
  return trim_left(line).starts_with('#');
}

std::string_view trim_break(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

/// "name = value" behind the '#'; the name is lower-cased.
std::optional<Directive> split_directive(std::string_view line, int number) {
  if (!line.starts_with('#')) {
    return std::nullopt;
  }
  line = trim_left(line.substr(1));
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  std::string name = to_lower(trim(line.substr(0, equals)));
  const std::string_view value = trim(line.substr(equals + 1));
  if (value.empty() ||
      std::find(kDirectives.begin(), kDirectives.end(), name) == kDirectives.end()) {
    return std::nullopt;
  }
  return Directive{.name = std::move(name), .value = std::string(value), .line = number};
}

}  // namespace

Error Lexer::fail(Error error) const {
  return std::move(error).at(source_.locate({line_, line_}));
}

Result<std::string_view> Lexer::physical_line() {
  std::string_view line = source_.line(++line_);
  if (line.size() > kMaxLine) {
    return fail(invalid_argument("dockerfile line greater than max allowed size of {}", kMaxLine));
  }
  if (line_ == 1 && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  return line;
}

Result<bool> Lexer::read_directive(std::string_view line) {
  if (directives_done_) {
    return false;
  }
  auto directive = split_directive(line, line_);
  if (!directive) {
    directives_done_ = true;
    return false;
  }
  for (const Directive& seen : directives_) {
    if (seen.name == directive->name) {
      return fail(invalid_argument("only one {} parser directive can be used", seen.name));
    }
  }
  if (directive->name == "escape") {
    if (directive->value != "\\" && directive->value != "`") {
      return fail(
          invalid_argument("invalid escape token '{}' does not match ` or \\", directive->value));
    }
    escape_ = directive->value[0];
  }
  directives_.push_back(std::move(*directive));
  return true;
}

bool Lexer::cut_continuation(std::string_view& line) const {
  std::string_view cut = line;
  while (cut.ends_with(' ') || cut.ends_with('\t')) {
    cut.remove_suffix(1);
  }
  // A doubled escape character is an ordinary end of the line.
  const bool doubled = cut.size() >= 2 && cut[cut.size() - 2] == escape_;
  if (!cut.ends_with(escape_) || doubled) {
    return false;
  }
  cut.remove_suffix(1);
  line = cut;
  return true;
}

/// An empty comment parts what is above it from the instruction; an empty line does not.
void Lexer::take_comment(std::string_view text) {
  if (text.empty()) {
    comments_.clear();
  } else {
    comments_.emplace_back(text);
  }
}

Result<std::optional<LogicalLine>> Lexer::next() {
  while (!at_end()) {
    const std::string_view physical = TRY(physical_line());
    std::string_view line = trim_left(trim_break(physical));
    const bool is_directive = TRY(read_directive(line));
    if (line.starts_with('#')) {
      if (!is_directive) {
        take_comment(trim(line.substr(1)));
      }
      continue;
    }
    const int first = line_;
    const bool goes_on = cut_continuation(line);
    if (!goes_on && line.empty()) {
      continue;
    }
    LogicalLine out{.text = std::string(line),
                    .comments = std::exchange(comments_, {}),
                    .lines = {first, first},
                    .empty_continuation = false};
    if (goes_on) {
      TRY(join_continuations(out));
    }
    out.lines.last = line_;
    return std::optional(std::move(out));
  }
  return std::optional<LogicalLine>();
}

Status Lexer::join_continuations(LogicalLine& out) {
  bool goes_on = true;
  while (goes_on && !at_end()) {
    const std::string_view physical = TRY(physical_line());
    std::string_view line = trim_break(physical);
    if (is_comment(line)) {
      continue;
    }
    if (trim_left(line).empty()) {
      // The break at the very end of the file makes one more line here, but nobody wrote a blank
      // one.
      out.empty_continuation |= !at_end();
      continue;
    }
    goes_on = cut_continuation(line);
    out.text += line;
  }
  return {};
}

Status Lexer::read_heredoc(Heredoc& heredoc, int first_line) {
  while (!at_end()) {
    const std::string_view physical = TRY(physical_line());
    std::string_view line = trim_break(physical);
    if (heredoc.strip_tabs) {
      line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    }
    if (line == heredoc.name) {
      return {};
    }
    heredoc.content += physical;
    if (!at_end()) {
      heredoc.content += '\n';
    }
  }
  return invalid_argument("unterminated heredoc")
      .with_hint("end it with a line that holds only " + heredoc.name)
      .at(source_.locate({first_line, first_line}));
}

}  // namespace mybuild::frontend
