// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/lint.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/go_format.h"
#include "snapshotter/oci/platform.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mybuild::frontend {

namespace {

using checks::Linter;
using checks::Rule;

bool is_lower(std::string_view text) {
  return text == to_lower(text);
}
bool is_upper(std::string_view text) {
  return text == to_upper(text);
}

void lint_from(const Node& node, Linter& linter) {
  const std::vector<std::string>& args = node.args;
  if (args.size() < 3) {
    return;
  }
  if (args.size() == 3 && !is_lower(args[2])) {
    linter.add(Rule::StageNameCasing, place_of(node),
               fmt::format("Stage name '{}' should be lowercase", args[2]));
  }
  const bool lower = is_lower(node.original_verb);
  const bool mixed = !lower && !is_upper(node.original_verb);  // another rule says so
  if (!mixed && !(lower ? is_lower(args[1]) : is_upper(args[1]))) {
    linter.add(
        Rule::FromAsCasing, place_of(node),
        fmt::format("'{}' and '{}' keywords' casing do not match", args[1], node.original_verb));
  }
}

void lint_copy_flags(const Node& node, Linter& linter) {
  for (const std::string& flag : node.flags) {
    if (flag.starts_with("--exclude=") && flag.find('$') != std::string::npos) {
      linter.add(Rule::ExcludeNotExpanded, place_of(node),
                 fmt::format("{} is taken as it is: variables are not expanded there", flag));
    }
  }
}

/// ARGs before the first FROM do not count.
std::vector<const Node*> nodes_of_stages(const Document& document) {
  std::vector<const Node*> out;
  for (const Node& node : document.nodes) {
    if (!out.empty() || node.verb == "from") {
      out.push_back(&node);
    }
  }
  return out;
}

void lint_verbs(const Document& document, Linter& linter) {
  const std::vector<const Node*> nodes = nodes_of_stages(document);
  const auto count = [&](auto is) {
    return std::count_if(nodes.begin(), nodes.end(),
                         [&](const Node* node) { return is(node->original_verb); });
  };
  const bool mostly_lower = count(is_lower) > count(is_upper);
  for (const Node* node : nodes) {
    const std::string& verb = node->original_verb;
    if (!(mostly_lower ? is_lower(verb) : is_upper(verb))) {
      linter.add(Rule::ConsistentInstructionCasing, place_of(*node),
                 fmt::format("Command '{}' should match the case of the command majority ({})",
                             verb, mostly_lower ? "lowercase" : "uppercase"));
    }
  }
}

const FromStep& from_of(const StageText& stage) {
  return std::get<FromStep>(stage.from.body);
}

void lint_stage_names(const Script& script, Linter& linter) {
  std::set<std::string_view> seen;
  for (const StageText& stage : script.stages) {
    const std::string& name = from_of(stage).name;
    if (name == "scratch" || name == "context") {
      linter.add(
          Rule::ReservedStageName, place_of(stage.from),
          fmt::format("Stage name should not use the same name as reserved stage \"{}\"", name));
    }
    if (!name.empty() && !seen.insert(name).second) {
      linter.add(Rule::DuplicateStageName, place_of(stage.from),
                 fmt::format("Duplicate stage name \"{}\", stage names should be unique", name));
    }
  }
}

}  // namespace

checks::Place place_of(const Node& node) {
  return {.first_line = node.lines.first, .last_line = node.lines.last, .comments = node.comments};
}
checks::Place place_of(const Step& step) {
  return {.first_line = step.lines.first, .last_line = step.lines.last, .comments = step.comments};
}

std::string_view verb_of(const Step& step) {
  const std::string_view text = step.text;
  return text.substr(0, text.find_first_of(" \t\v\f\r"));
}

std::string description_of(const std::vector<std::string>& comments, std::string_view name) {
  for (const std::string& comment : comments) {
    if (!name.empty() && comment.starts_with(name) && comment.size() > name.size() &&
        comment[name.size()] == ' ') {
      return comment.substr(name.size() + 1);
    }
  }
  return {};
}

void lint_instruction(const Node& node, Linter& linter) {
  if (node.verb == "maintainer") {
    linter.add(Rule::MaintainerDeprecated, place_of(node),
               "Maintainer instruction is deprecated in favor of using label");
  } else if (node.verb == "from") {
    lint_from(node, linter);
  } else if (node.verb == "copy" || node.verb == "add") {
    lint_copy_flags(node, linter);
  }
}

void lint_description(const Step& step, Linter& linter) {
  const auto last = std::find_if(step.comments.rbegin(), step.comments.rend(),
                                 [](const std::string& c) { return !checks::is_check_comment(c); });
  if (last == step.comments.rend()) {
    return;
  }
  std::vector<std::string> names;
  if (const auto* from = std::get_if<FromStep>(&step.body); from != nullptr) {
    names.assign(from->name.empty() ? 0 : 1, from->name);
  } else if (const auto* arg = std::get_if<ArgStep>(&step.body); arg != nullptr) {
    for (const ArgStep::Argument& argument : arg->arguments) {
      names.push_back(argument.name);
    }
  }
  const std::string_view said = std::string_view(*last).substr(0, last->find(' '));
  if (names.empty() || std::find(names.begin(), names.end(), said) != names.end()) {
    return;
  }
  linter.add(Rule::InvalidDefinitionDescription, place_of(step),
             fmt::format("Comment for {} should follow the format: `# {} <description>`",
                         std::holds_alternative<FromStep>(step.body) ? "FROM" : "ARG",
                         names.size() == 1 ? names[0] : "<arg_key>"));
}

void lint_continuations(const Document& document, Linter& linter) {
  for (const LineRange lines : document.empty_continuations) {
    linter.add(Rule::NoEmptyContinuation,
               {.first_line = lines.first, .last_line = lines.last, .comments = {}},
               "Empty continuation line");
  }
}

void lint_script(const Document& document, const Script& script, Linter& linter) {
  lint_stage_names(script, linter);
  lint_verbs(document, linter);
}

void lint_from_variables(const Step& from, const Expanded& word,
                         const std::vector<std::string>& declared, Linter& linter) {
  for (const std::string& name : word.unset) {
    if (std::binary_search(declared.begin(), declared.end(), name)) {
      continue;
    }
    const std::string_view near = linter.guess(name, declared);
    linter.add(Rule::UndefinedArgInFrom, place_of(from),
               fmt::format("FROM argument '{}' is not declared{}", name,
                           near.empty() ? "" : fmt::format(" (did you mean {}?)", near)));
  }
}

void lint_from_platform(const Step& from, const Expanded& word, const EnvList& globals,
                        Linter& linter) {
  const FromStep& step = std::get<FromStep>(from.body);
  const std::string* target = globals.find("TARGETPLATFORM");
  if (word.used.size() == 1 && word.unset.empty() && word.used[0] == "TARGETPLATFORM" &&
      target != nullptr && word.text == *target) {
    linter.add(Rule::RedundantTargetPlatform, place_of(from),
               fmt::format("Setting platform to predefined {} in FROM is redundant as this is the "
                           "default behavior",
                           step.platform));
  }
  if (!word.used.empty() || !word.unset.empty()) {
    return;
  }
  const auto platform = oci::parse_platform(word.text);
  const auto is_named_for = [&](const std::string& part) {
    return step.name.find(part) != std::string::npos;
  };
  if (platform && !is_named_for(platform->os) && !is_named_for(platform->architecture)) {
    linter.add(
        Rule::FromPlatformFlagConstDisallowed, place_of(from),
        fmt::format("FROM --platform flag should not use constant value {}", go_quote(word.text)));
  }
}

void lint_default_bases(const Script& script, const EnvList& globals, Linter& linter) {
  for (const StageText& stage : script.stages) {
    const std::string& base = from_of(stage).base;
    const auto word = expand(base, globals, {.escape = script.escape});
    if (!word) {
      return;  // the build fails on it
    }
    if (!oci::Reference::parse(word->text)) {
      linter.add(Rule::InvalidDefaultArgInFrom, place_of(stage.from),
                 fmt::format("Default value for ARG {} results in empty or invalid base image name",
                             base));
    }
  }
}

}  // namespace mybuild::frontend
