// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/instructions.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/flags.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/heredoc.h"
#include "frontend/dockerfile/lint.h"
#include "frontend/dockerfile/run_device.h"
#include "frontend/dockerfile/run_mount.h"
#include "frontend/dockerfile/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mybuild::frontend {

namespace {

using Body = decltype(Step::body);

std::string verb_of(const Node& node) {
  return to_upper(node.verb);
}

Error needs_one(const Node& node) {
  return invalid_argument("{} requires exactly one argument", verb_of(node));
}
Error needs_some(const Node& node) {
  return invalid_argument("{} requires at least one argument", verb_of(node));
}

Result<std::string> only_argument(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  if (node.args.size() != 1) {
    return needs_one(node);
  }
  return node.args[0];
}

CommandLine command_line(const std::vector<std::string>& args, bool json) {
  if (json || args.empty()) {
    return {args, !json};
  }
  return {{fmt::format("{}", fmt::join(args, " "))}, true};
}

bool is_stage_name(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
}

Result<Body> from(const Node& node) {
  static constexpr std::array kRules{FlagRule{"platform"}};
  const Flags flags = TRY(Flags::parse(node.flags, kRules));
  FromStep step;
  if (node.args.size() == 3 && equal_fold(node.args[1], "as")) {
    step.name = to_lower(node.args[2]);
    if (!is_stage_name(step.name)) {
      return invalid_argument("invalid name for build stage: \"{}\"", node.args[2])
          .with_hint("a name starts with a letter and holds only letters, digits, '-', '_', '.'");
    }
  } else if (node.args.size() != 1) {
    return invalid_argument("FROM requires either one or three arguments")
        .with_hint("write FROM image, or FROM image AS name");
  }
  step.base = node.args[0];
  step.platform = flags.text("platform");
  return step;
}

Result<Body> arg(const Node& node) {
  if (node.args.empty()) {
    return needs_some(node);
  }
  ArgStep step;
  for (const std::string& word : node.args) {
    const auto equals = word.find('=');
    ArgStep::Argument argument{word.substr(0, equals), std::nullopt};
    if (argument.name.empty()) {
      return invalid_argument("ARG names can not be blank");
    }
    if (equals != std::string::npos) {
      argument.value = word.substr(equals + 1);
    }
    step.arguments.push_back(std::move(argument));
  }
  return step;
}

template <class StepType>
Result<Body> pairs(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  if (node.args.empty()) {
    return needs_some(node);
  }
  StepType step;
  step.legacy_pair = node.legacy_pair;
  for (std::size_t i = 0; i + 1 < node.args.size(); i += 2) {
    if (node.args[i].empty()) {
      return invalid_argument("{} names can not be blank", verb_of(node));
    }
    step.pairs.emplace_back(node.args[i], node.args[i + 1]);
  }
  return step;
}

Status one_of(std::string_view flag, std::string_view value,
              std::initializer_list<std::string_view> allowed) {
  if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
    return {};
  }
  const std::vector<std::string> names(allowed.begin(), allowed.end());
  return invalid_argument("--{}={} is not valid", flag, value)
      .with_hint(fmt::format("it can be {}", fmt::join(names, ", ")));
}

Result<Body> run(const Node& node) {
  static constexpr std::array kRules{FlagRule{"mount", FlagType::Texts}, FlagRule{"network"},
                                     FlagRule{"security"}, FlagRule{"device", FlagType::Texts}};
  const Flags flags = TRY(Flags::parse(node.flags, kRules));
  RunStep step;
  step.command = command_line(node.args, node.json);
  step.heredocs = node.heredocs;
  step.mounts = flags.texts("mount");
  for (const std::string& mount : step.mounts) {
    auto source = TRY(mount_from(mount));
    step.mount_froms.push_back(std::move(source));
  }
  step.network = flags.text("network");
  step.security = flags.text("security");
  TRY(one_of("network", step.network, {"default", "none", "host"}));
  TRY(one_of("security", step.security, {"sandbox", "insecure"}));
  for (const std::string& device : flags.texts("device")) {
    auto wanted = TRY(parse_run_device(device));
    step.devices.push_back(std::move(wanted));
  }
  return step;
}

Status take_sources(const Node& node, CopyStep& step) {
  if (node.args.size() < 2) {
    return invalid_argument(
        "{} requires at least two arguments, but only {} provided. Destination could not be "
        "determined",
        verb_of(node), node.args.empty() ? "none was" : "one was");
  }
  step.dest = node.args.back();
  if (parse_heredoc(step.dest)) {
    return invalid_argument("{} cannot accept a heredoc as a destination", verb_of(node));
  }
  for (std::size_t i = 0; i + 1 < node.args.size(); ++i) {
    const auto opened = parse_heredoc(node.args[i]);
    if (!opened) {
      step.sources.push_back(node.args[i]);
      continue;
    }
    const auto found = std::find_if(node.heredocs.rbegin(), node.heredocs.rend(),
                                    [&](const Heredoc& h) { return h.name == opened->name; });
    const bool has_body = found != node.heredocs.rend();
    step.files.push_back(
        {opened->name, has_body ? heredoc_text(*found) : std::string(), opened->expand});
  }
  return {};
}

Result<Body> copy(const Node& node) {
  static constexpr std::array kRules{FlagRule{"from"},
                                     FlagRule{"chown"},
                                     FlagRule{"chmod"},
                                     FlagRule{"link", FlagType::Bool},
                                     FlagRule{"parents", FlagType::Bool},
                                     FlagRule{"exclude", FlagType::Texts}};
  CopyStep step;
  const Flags flags = TRY(Flags::parse(node.flags, kRules));
  TRY(take_sources(node, step));
  step.from = flags.text("from");
  step.chown = flags.text("chown");
  step.chmod = flags.text("chmod");
  step.parents = flags.boolean("parents").value_or(false);
  step.link = flags.boolean("link").value_or(false);
  step.excludes = flags.texts("exclude");
  return step;
}

Result<Body> add(const Node& node) {
  static constexpr std::array kRules{FlagRule{"chown"},
                                     FlagRule{"chmod"},
                                     FlagRule{"link", FlagType::Bool},
                                     FlagRule{"exclude", FlagType::Texts},
                                     FlagRule{"checksum"},
                                     FlagRule{"keep-git-dir", FlagType::Bool},
                                     FlagRule{"unpack", FlagType::Bool}};
  CopyStep step;
  const Flags flags = TRY(Flags::parse(node.flags, kRules));
  TRY(take_sources(node, step));
  step.is_add = true;
  step.chown = flags.text("chown");
  step.chmod = flags.text("chmod");
  step.link = flags.boolean("link").value_or(false);
  step.excludes = flags.texts("exclude");
  step.unpack = flags.boolean("unpack");
  step.checksum = flags.text("checksum");
  step.keep_git_dir = flags.boolean("keep-git-dir");
  return step;
}

Result<Body> workdir(const Node& node) {
  auto path = TRY(only_argument(node));
  return WorkdirStep{std::move(path)};
}
Result<Body> user(const Node& node) {
  auto name = TRY(only_argument(node));
  return UserStep{std::move(name)};
}
Result<Body> maintainer(const Node& node) {
  auto author = TRY(only_argument(node));
  return MaintainerStep{std::move(author)};
}
Result<Body> stop_signal(const Node& node) {
  auto signal = TRY(only_argument(node));
  return StopSignalStep{std::move(signal)};
}

Result<Body> volume(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  if (node.args.empty()) {
    return needs_some(node);
  }
  VolumeStep step;
  for (const std::string& path : node.args) {
    step.paths.emplace_back(trim(path));
    if (step.paths.back().empty()) {
      return invalid_argument("VOLUME specified can not be an empty string");
    }
  }
  return step;
}

Result<Body> expose(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  if (node.args.empty()) {
    return needs_some(node);
  }
  ExposeStep step{node.args};
  std::sort(step.ports.begin(), step.ports.end());
  return step;
}

Result<Body> shell(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  if (node.args.empty()) {
    return needs_some(node);
  }
  if (!node.json) {
    return invalid_argument("SHELL requires the arguments to be in JSON form")
        .with_hint("write it as SHELL [\"/bin/bash\", \"-c\"]");
  }
  return ShellStep{node.args};
}

Result<Body> cmd(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  return CmdStep{command_line(node.args, node.json)};
}
Result<Body> entrypoint(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  return EntrypointStep{command_line(node.args, node.json)};
}

Result<std::chrono::nanoseconds> interval(const Flags& flags, std::string_view name) {
  const std::string text = flags.text(name);
  if (text.empty()) {
    return std::chrono::nanoseconds(0);
  }
  const auto value = TRY(parse_go_duration(text));
  if (value.count() != 0 && value < std::chrono::milliseconds(1)) {
    return invalid_argument("interval \"{}\" cannot be less than 1ms", name);
  }
  return value;
}

Result<int> retries(const Flags& flags) {
  const std::string text = flags.text("retries");
  const auto value = text.empty() ? 0 : parse_go_int(text);
  if (!value) {
    return invalid_argument("--retries={} is not a number", text);
  }
  if (*value < 0) {
    return invalid_argument("--retries cannot be negative ({})", *value);
  }
  return *value;
}

Result<Body> healthcheck(const Node& node) {
  static constexpr std::array kRules{FlagRule{"interval"}, FlagRule{"timeout"},
                                     FlagRule{"start-period"}, FlagRule{"start-interval"},
                                     FlagRule{"retries"}};
  if (node.args.empty()) {
    return needs_some(node);
  }
  const std::string type = to_upper(node.args[0]);
  std::vector<std::string> command(node.args.begin() + 1, node.args.end());
  oci::Healthcheck check;
  if (type == "NONE") {
    if (!command.empty()) {
      return invalid_argument("HEALTHCHECK NONE takes no arguments");
    }
    check.test = {"NONE"};
    return HealthcheckStep{check};
  }
  if (type != "CMD") {
    return invalid_argument("unknown type \"{}\" in HEALTHCHECK", type)
        .with_hint("write HEALTHCHECK CMD command, or HEALTHCHECK NONE");
  }
  if (command.empty()) {
    return invalid_argument("missing command after HEALTHCHECK CMD");
  }
  const Flags flags = TRY(Flags::parse(node.flags, kRules));
  check.test = std::move(command);
  check.test.insert(check.test.begin(), node.json ? "CMD" : "CMD-SHELL");
  check.interval = TRY(interval(flags, "interval"));
  check.timeout = TRY(interval(flags, "timeout"));
  check.start_period = TRY(interval(flags, "start-period"));
  check.start_interval = TRY(interval(flags, "start-interval"));
  check.retries = TRY(retries(flags));
  return HealthcheckStep{check};
}

Result<Body> onbuild(const Node& node) {
  TRY(Flags::parse(node.flags, {}));
  if (!node.trigger) {
    return needs_some(node);
  }
  if (node.trigger->verb == "onbuild") {
    return invalid_argument("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (node.trigger->verb == "from" || node.trigger->verb == "maintainer") {
    return invalid_argument("{} isn't allowed as an ONBUILD trigger", verb_of(*node.trigger));
  }
  std::string expression(trim_left(trim_left(node.original).substr(node.verb.size())));
  for (const Heredoc& heredoc : node.heredocs) {
    expression += "\n" + heredoc.content + heredoc.name;
  }
  return OnbuildStep{std::move(expression)};
}

struct Instruction {
  std::string_view verb;
  Result<Body> (*parse)(const Node&);
};
constexpr std::array kInstructions{
    Instruction{"add", add},
    Instruction{"arg", arg},
    Instruction{"cmd", cmd},
    Instruction{"copy", copy},
    Instruction{"entrypoint", entrypoint},
    Instruction{"env", pairs<EnvStep>},
    Instruction{"expose", expose},
    Instruction{"from", from},
    Instruction{"healthcheck", healthcheck},
    Instruction{"label", pairs<LabelStep>},
    Instruction{"maintainer", maintainer},
    Instruction{"onbuild", onbuild},
    Instruction{"run", run},
    Instruction{"shell", shell},
    Instruction{"stopsignal", stop_signal},
    Instruction{"user", user},
    Instruction{"volume", volume},
    Instruction{"workdir", workdir},
};

Error unknown_instruction(const Node& node) {
  constexpr std::size_t kShown = 60;
  std::vector<std::string> names;
  for (const Instruction& instruction : kInstructions) {
    names.push_back(to_upper(instruction.verb));
  }
  const std::string verb = node.original_verb.substr(0, kShown);
  const std::string quoted = go_quote(verb);
  const bool is_plain = quoted.size() == verb.size() + 2;  // nothing in it had to be escaped
  return invalid_argument("unknown instruction: {}", is_plain ? verb : quoted)
      .with_hint(did_you_mean(node.original_verb, names));
}

}  // namespace

Result<Step> parse_step(const Node& node) {
  const auto* found = std::find_if(kInstructions.begin(), kInstructions.end(),
                                   [&](const Instruction& i) { return i.verb == node.verb; });
  if (found == kInstructions.end()) {
    return unknown_instruction(node);
  }
  auto body = TRY(found->parse(node));
  return Step{std::move(body), std::string(trim(node.original)), node.lines, node.comments};
}

Result<Script> parse_script(const Document& document, const SourceMap& source,
                            checks::Linter& linter) {
  Script script{.global_args = {}, .stages = {}, .escape = document.escape};
  for (const Node& node : document.nodes) {
    lint_instruction(node, linter);
    auto step = parse_step(node);
    if (!step) {
      return std::move(step).error().at(source.locate(node.lines));
    }
    lint_description(*step, linter);
    if (std::holds_alternative<FromStep>(step->body)) {
      script.stages.push_back({std::move(step).value(), {}});
    } else if (!script.stages.empty()) {
      script.stages.back().steps.push_back(std::move(step).value());
    } else if (std::holds_alternative<ArgStep>(step->body)) {
      script.global_args.push_back(std::move(step).value());
    } else {
      return invalid_argument("no build stage in current context")
          .with_hint("only ARG may stand before the first FROM")
          .at(source.locate(node.lines));
    }
  }
  if (script.stages.empty()) {
    return invalid_argument("dockerfile contains no stages to build").with_hint("it needs a FROM");
  }
  return script;
}

}  // namespace mybuild::frontend
