// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/verb_table.h"

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

const Verb* find_verb(std::span<const Verb> verbs, std::string_view name) {
  const auto found =
      std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == name; });
  return found == verbs.end() ? nullptr : &*found;
}

/// A first word that is no option and no directory to build from.
bool looks_mistyped(const std::string& word) {
  return !word.starts_with('-') && word.find('/') == std::string::npos &&
         ::access(word.c_str(), F_OK) != 0;
}

std::string closest_verb(std::span<const Verb> verbs, std::string_view word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs) {
    names.push_back(verb.name);
  }
  return closest(word, names);
}

std::string group_text(const VerbGroup& group) {
  std::string out =
      fmt::format("Usage:  mybuild {} COMMAND [OPTIONS] [ARG...]\n\n{}\n\nCommands:\n", group.name,
                  group.summary);
  for (const Verb& verb : group.verbs) {
    out += fmt::format("  {:<11} {}\n", verb.name, verb.summary);
  }
  return out + fmt::format("\nRun 'mybuild {} COMMAND --help' for more information on a command.\n",
                           group.name);
}

int help(std::span<const Verb> verbs, std::span<const std::string> topics) {
  if (topics.empty()) {
    return print_out(overview_text(verbs)) ? 0 : 1;
  }
  if (const Verb* verb = find_verb(verbs, topics.front())) {
    const std::vector<std::string> ask = {"--help"};
    return verb->run(ask);
  }
  print_err(fmt::format("ERROR: unknown help topic: {}\n", topics.front()));
  return 1;
}

}  // namespace

int dispatch(std::span<const Verb> verbs, const std::vector<std::string>& args) {
  const std::size_t globals = count_global_args(args);
  const std::span<const std::string> rest = std::span(args).subspan(globals);
  if (rest.empty()) {
    print_err(overview_text(verbs));
    return 1;
  }
  const bool asks_for_help =
      rest.front() == "help" || rest.front() == "--help" || rest.front() == "-h";
  if (asks_for_help) {
    return help(verbs, rest.subspan(1));
  }
  if (const Verb* verb = find_verb(verbs, rest.front())) {
    std::vector<std::string> own(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(globals));
    own.insert(own.end(), rest.begin() + 1, rest.end());
    return verb->run(own);
  }
  if (looks_mistyped(rest.front())) {
    if (const std::string guess = closest_verb(verbs, rest.front()); !guess.empty()) {
      print_err(
          fmt::format("ERROR: unknown command: mybuild {}\nhint: did you mean 'mybuild {}'?\n",
                      rest.front(), guess));
      return 1;
    }
  }
  return verbs.front().run(args);
}

int dispatch_group(const VerbGroup& group, std::span<const std::string> args) {
  const std::size_t globals = count_global_args(args);
  const std::span<const std::string> rest = args.subspan(globals);
  if (!rest.empty() && (rest.front() == "--help" || rest.front() == "-h")) {
    return print_out(group_text(group)) ? 0 : 1;
  }
  if (rest.empty()) {
    print_err(group_text(group));
    return 1;
  }
  if (const Verb* verb = find_verb(group.verbs, rest.front())) {
    std::vector<std::string> own(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(globals));
    own.insert(own.end(), rest.begin() + 1, rest.end());
    return verb->run(own);
  }
  const std::string guess = closest_verb(group.verbs, rest.front());
  print_err(fmt::format(
      "ERROR: unknown command: mybuild {} {}\n{}", group.name, rest.front(),
      guess.empty() ? ""
                    : fmt::format("hint: did you mean 'mybuild {} {}'?\n", group.name, guess)));
  return 1;
}

std::string overview_text(std::span<const Verb> verbs) {
  std::string out =
      "Usage:  mybuild [OPTIONS] PATH\n"
      "        mybuild COMMAND [OPTIONS] [ARG...]\n"
      "\n"
      "Build images from Dockerfiles, and run them\n"
      "\n"
      "Commands:\n";
  for (const Verb& verb : verbs) {
    out += fmt::format("  {:<11} {}\n", verb.name, verb.summary);
  }
  out += fmt::format("  {:<11} {}\n", "help", "Print this, or the help of a command");
  out += "\nRun 'mybuild COMMAND --help' for more information on a command.\n";
  return out;
}

}  // namespace mybuild::cli
