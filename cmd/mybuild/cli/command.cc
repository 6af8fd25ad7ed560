// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/command.h"

#include "snapshotter/base/sys.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kWidestFlag = 32;  // a longer one gets a line of its own

std::string flag_column(const FlagSpec& spec) {
  std::string text = spec.letter == 0 ? "      " : fmt::format("  -{}, ", spec.letter);
  text += fmt::format("--{}", spec.name);
  if (!spec.argument.empty()) {
    text += fmt::format(" {}", spec.argument);
  }
  return text;
}

/// Appends the words of `text`, starting at column `column` and going on at column `indent`.
void append_wrapped(std::string& out, std::string_view text, std::size_t column,
                    std::size_t indent) {
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && column + 1 + word.size() > kWidth) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

void append_options(std::string& out, const FlagSet& flags) {
  std::size_t widest = 0;
  for (const auto& row : flags.rows()) {
    const std::size_t width = flag_column(*row.spec).size();
    widest = row.supported && width <= kWidestFlag ? std::max(widest, width) : widest;
  }
  const std::size_t indent = widest + 3;
  for (const auto& row : flags.rows()) {
    if (!row.supported) {
      continue;
    }
    const std::string column = flag_column(*row.spec);
    out += column;
    if (column.size() > widest) {
      out += '\n';
      out.append(indent, ' ');
    } else {
      out.append(indent - column.size(), ' ');
    }
    const std::string help =
        fmt::format("{}{}", row.spec->help, row.spec->repeatable ? " (repeatable)" : "");
    append_wrapped(out, help, indent, indent);
  }
}

void append_usage(std::string& out, std::string_view usage) {
  out += "Usage:  ";
  append_wrapped(out, usage, 8, 10);
}

}  // namespace

std::string help_text(const CommandText& command, const FlagSet& flags) {
  std::string out;
  append_usage(out, command.usage);
  out += '\n';
  append_wrapped(out, command.summary, 0, 0);
  if (!flags.rows().empty()) {
    out += "\nOptions:\n";
    append_options(out, flags);
  }
  if (!command.notes.empty()) {
    out += fmt::format("\n{}\n", command.notes);
  }
  return out;
}

std::string usage_error_text(const CommandText& command, const Error& error) {
  std::string out = fmt::format("ERROR: {}\n", error.message());
  if (!error.hint().empty()) {
    out += fmt::format("hint: {}\n", error.hint());
  }
  out += '\n';
  append_usage(out, command.usage);
  out += fmt::format("\nRun 'mybuild {} --help' for more information\n", command.name);
  return out;
}

Status print_out(std::string_view text) {
  return sys::write_all(STDOUT_FILENO, as_bytes(text)).context("write to stdout");
}

void print_err(std::string_view text) {
  (void)sys::write_all(STDERR_FILENO, as_bytes(text));
}

}  // namespace mybuild::cli
