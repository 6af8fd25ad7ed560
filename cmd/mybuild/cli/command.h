// SPDX-License-Identifier: Apache-2.0
// Command: a verb as the user sees it. read_command() turns arguments into the verb's options, or
// prints --help or a usage error and says with which status to leave. Thread-compatible.
#pragma once

#include "cmd/mybuild/cli/flags.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mybuild::cli {

struct CommandText {
  std::string_view name;     // "run"
  std::string_view usage;    // "mybuild run [OPTIONS] IMAGE [COMMAND] [ARG...]"
  std::string_view summary;  // "Run a program in a new container"
  std::string_view notes;    // under the options; may be empty
};

template <class Options>
struct Command {
  CommandText text;
  FlagSet::Order order = FlagSet::Order::Interspersed;
  void (*add_flags)(FlagSet& flags, Options& options);
  /// Takes the positionals and checks what no single flag can.
  Status (*finish)(Options& options, std::vector<std::string> positionals);
};

/// docker's statuses: options that cannot be read, and arguments that make no sense together.
inline constexpr int kFlagErrorExit = 125;
inline constexpr int kUsageErrorExit = 1;

std::string help_text(const CommandText& command, const FlagSet& flags);
/// "ERROR: …", the hint, and where to read on.
std::string usage_error_text(const CommandText& command, const Error& error);

/// Fails when the result could not be written: whoever reads stdout must not take half of it for
/// all.
Status print_out(std::string_view text);
void print_err(std::string_view text);

template <class Options>
struct Reading {
  std::optional<Options> options;  // none: leave with `exit_code`
  int exit_code = 0;
};

template <class Options>
Reading<Options> read_command(const Command<Options>& command, std::span<const std::string> args) {
  Options options;
  FlagSet flags;
  command.add_flags(flags, options);
  auto parsed = flags.parse(args, command.order);
  if (!parsed) {
    print_err(usage_error_text(command.text, parsed.error()));
    return {.options = std::nullopt, .exit_code = kFlagErrorExit};
  }
  if (parsed->help) {
    const bool written = print_out(help_text(command.text, flags)).has_value();
    return {.options = std::nullopt, .exit_code = written ? 0 : 1};
  }
  if (auto done = command.finish(options, std::move(parsed->positionals)); !done) {
    print_err(usage_error_text(command.text, done.error()));
    return {.options = std::nullopt, .exit_code = kUsageErrorExit};
  }
  return {.options = std::move(options), .exit_code = 0};
}

}  // namespace mybuild::cli
