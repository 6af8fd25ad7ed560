// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/report.h"

#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>

#include <cerrno>

namespace mybuild::progress {

namespace {

constexpr std::string_view kRule = "------\n";
constexpr std::string_view kExcerptRule = "--------------------\n";

std::string painted(ReportStyle style, std::string_view escape, std::string_view text) {
  return style.color ? fmt::format("{}{}\x1b[0m", escape, text) : std::string(text);
}

std::string safe_lines(ReportStyle style, std::string_view text) {
  return style.neutralise ? printable_lines(text) : std::string(text);
}

void append_lines(std::string& out, std::string_view text) {
  out += text;
  if (!text.empty() && !text.ends_with('\n')) {
    out += '\n';
  }
}

void append_log(std::string& out, const Step& step, ReportStyle style) {
  if (step.lines_left_out > 0) {
    out += fmt::format("… {} earlier lines are not repeated\n", step.lines_left_out);
  }
  for (const LogLine& line : step.log) {
    const std::string text = log_line_text(step, line);
    append_lines(out, style.neutralise ? printable(text) : text);
  }
}

std::string excerpt_text(const SourceLocation& location, ReportStyle style) {
  std::string out = fmt::format("{}:{}\n", location.file, location.first_line);
  if (!location.excerpt.empty()) {
    out += kExcerptRule;
    append_lines(out, safe_lines(style, location.excerpt));
    out += kExcerptRule;
  }
  return out;
}

/// What an error's hint is, or what helps against the cause whoever met it: a machine that lacks
/// something makes every part of the program fail.
std::string hint_of(const Error& error) {
  if (!error.hint().empty()) {
    return error.hint();
  }
  switch (error.os_errno()) {
    case ENOSPC:
    case EDQUOT:
      return "the disk has no room for more bytes or files (see `df` and `df -i`); `mybuild prune` "
             "removes what no image or container needs";
    case EROFS:
      return "make that file system writable, or name another state directory with --root";
    case EMFILE:
      return "raise the limit of open files: `ulimit -n 1024`";
    default:
      return {};
  }
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string failed_steps_text(const std::vector<const Step*>& failed, ReportStyle style) {
  std::string out;
  for (const Step* step : failed) {
    out += fmt::format("{} > {}:\n", kRule, printable(step->name));
    append_log(out, *step, style);
    out += kRule;
  }
  return out;
}

std::string error_text(const Error& error, std::string_view what, ReportStyle style) {
  std::string out;
  if (error.location() != nullptr) {
    out += excerpt_text(*error.location(), style);
  }
  out += fmt::format("{} {}{}{}\n", painted(style, "\x1b[31m", "ERROR:"), what,
                     what.empty() ? "" : ": ", safe_lines(style, error.message()));
  if (const std::string hint = hint_of(error); !hint.empty()) {
    out += fmt::format("hint: {}\n", safe_lines(style, hint));
  }
  return out;
}

std::string warnings_text(const std::vector<solver::Warning>& warnings, bool details,
                          ReportStyle style) {
  if (warnings.empty()) {
    return {};
  }
  std::string out = fmt::format("\n {} found{}:\n",
                                painted(style, "\x1b[33m", plural(warnings.size(), "warning")),
                                details ? "" : " (use --debug to expand)");
  for (const solver::Warning& warning : warnings) {
    out += fmt::format(" - {}", safe_lines(style, warning.message));
    if (warning.location) {
      out += fmt::format(" (line {})", warning.location->first_line);
    }
    out += '\n';
    if (details && !warning.detail.empty()) {
      append_lines(out, safe_lines(style, warning.detail));
    }
    if (details && warning.location) {
      out += excerpt_text(*warning.location, style) + "\n";
    }
  }
  return out;
}

std::string summary_text(const Summary& summary, ReportStyle style) {
  std::string out = fmt::format("{} in {}: {}", painted(style, "\x1b[32m", "built"),
                                elapsed(summary.took), plural(summary.steps, "step"));
  if (summary.cached > 0) {
    out += fmt::format(", {} cached", summary.cached);
  }
  out += '\n';
  if (!summary.image_id.empty()) {
    out += fmt::format("  image {}\n", summary.image_id);
  }
  for (const std::string& name : summary.names) {
    out += fmt::format("  named {}\n", name);
  }
  for (const std::string& file : summary.files) {
    out += fmt::format("  wrote {}\n", file);
  }
  return out;
}

}  // namespace mybuild::progress
