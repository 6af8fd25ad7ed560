// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/image_state.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/ports.h"
#include "frontend/ignore/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kComment = "buildkit.dockerfile.v0";

// Steer the builder; never variables of a step.
constexpr std::array<std::string_view, 2> kBuilderArgs{"BUILDKIT_SBOM_SCAN_CONTEXT",
                                                       "BUILDKIT_SBOM_SCAN_STAGE"};

constexpr std::array<std::string_view, 37> kSignals{
    "ABRT",   "ALRM",  "BUS",  "CHLD", "CLD",   "CONT",  "FPE",   "HUP",  "ILL",  "INT",
    "IO",     "IOT",   "KILL", "PIPE", "POLL",  "PROF",  "PWR",   "QUIT", "SEGV", "STKFLT",
    "STOP",   "SYS",   "TERM", "TRAP", "TSTP",  "TTIN",  "TTOU",  "URG",  "USR1", "USR2",
    "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX", "UNUSED"};

/// The distance in "RTMIN+3"; -1 when there is none in 1…max.
int realtime_offset(std::string_view text, std::string_view stem, int max) {
  int value = -1;
  if (!text.starts_with(stem)) {
    return -1;
  }
  text.remove_prefix(stem.size());
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && value >= 1 && value <= max ? value : -1;
}

bool is_signal(std::string_view text) {
  if (const auto number = parse_go_int(text)) {
    return *number != 0;
  }
  const std::string upper = to_upper(text);
  const std::string_view name = std::string_view(upper).substr(upper.starts_with("SIG") ? 3 : 0);
  return std::find(kSignals.begin(), kSignals.end(), name) != kSignals.end() ||
         realtime_offset(name, "RTMIN+", 15) > 0 || realtime_offset(name, "RTMAX-", 14) > 0;
}

Result<std::vector<KeyValue>> expand_pairs(const std::vector<KeyValue>& pairs,
                                           const WordExpander& expander) {
  std::vector<KeyValue> out;
  out.reserve(pairs.size());
  for (const auto& [key, value] : pairs) {
    auto name = TRY(expander(key));
    auto text = TRY(expander(value));
    out.emplace_back(std::move(name), std::move(text));
  }
  return out;
}

std::string health_text(const oci::Healthcheck& check) {
  // BuildKit prints the struct with %q, which makes the number of retries a character.
  return fmt::format("HEALTHCHECK &{{{} {} {} {} {} {}}}", go_quote(check.test),
                     go_quote(go_duration(check.interval)), go_quote(go_duration(check.timeout)),
                     go_quote(go_duration(check.start_period)),
                     go_quote(go_duration(check.start_interval)), go_quote_rune(check.retries));
}

std::string_view key_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

}  // namespace

oci::ImageConfig scratch_config(const oci::Platform& platform) {
  oci::ImageConfig config;
  config.platform = platform;
  config.working_dir = "/";
  if (platform.os != "windows") {
    config.env = {fmt::format("PATH={}", kDefaultPath)};
  }
  return config;
}

void ImageState::start() {
  if (!config.find_env("PATH") && config.platform.os != "windows") {
    config.env.push_back(fmt::format("PATH={}", kDefaultPath));
  }
  for (std::size_t i = 0; i < config.env.size(); ++i) {
    config_env_.emplace(key_of(config.env[i]), i);
  }
  take_config_env();
  if (!config.working_dir.empty()) {
    if (!config.working_dir.starts_with('/')) {
      config.working_dir = clean_path("/" + config.working_dir);
    }
    cwd = clean_path(config.working_dir);
  }
}

void ImageState::take_config_env() {
  for (const std::string_view variable : config.env) {
    const std::string_view key = key_of(variable);
    env_.set(key, variable.substr(std::min(key.size() + 1, variable.size())));
  }
}

ImageState ImageState::inherit() && {
  ImageState child = std::move(*this);
  child.config.on_build.clear();
  child.cmd_set = false;
  // In the stage above an ARG may have hidden an ENV; here the ENV counts again.
  if (!child.declared_order_.empty()) {
    child.take_config_env();
  }
  return child;
}

void ImageState::set_env(const std::string& name, const std::string& value) {
  env_.set(name, value);
  const auto [found, is_new] = config_env_.emplace(name, config.env.size());
  if (is_new) {
    config.env.emplace_back();
  }
  config.env[found->second] = name + "=" + value;
}

std::optional<std::string_view> ImageState::find_image_env(std::string_view name) const {
  const auto found = config_env_.find(name);
  if (found == config_env_.end()) {
    return std::nullopt;
  }
  const std::string_view variable = config.env[found->second];
  return variable.substr(std::min(name.size() + 1, variable.size()));
}

void ImageState::declare(ArgStep::Argument argument, bool is_variable) {
  if (declared_.find(argument.name) == nullptr) {
    declared_order_.push_back(argument.name);
  }
  declared_.set(argument.name, argument.value.value_or(""));
  if (is_variable && argument.value) {
    env_.set(argument.name, *argument.value);
  }
}

bool ImageState::is_declared(std::string_view name) const {
  return declared_.find(name) != nullptr;
}

std::string ImageState::declared_args() const {
  if (declared_order_.empty()) {
    return {};
  }
  std::string out = fmt::format("|{} ", declared_order_.size());
  for (const std::string& name : declared_order_) {
    const std::string* value = env_.find(name);
    out += name;
    out += '=';
    out += value != nullptr ? *value : *declared_.find(name);
    out += ' ';
  }
  return out;
}

void ImageState::commit(std::string created_by, bool with_layer) {
  config.history.push_back(oci::History{.created = {},
                                        .created_by = std::move(created_by),
                                        .author = {},
                                        .comment = std::string(kComment),
                                        .empty_layer = !with_layer});
}

std::vector<std::string> ImageState::with_shell(const std::vector<std::string>& args) const {
  std::vector<std::string> out = config.shell;
  if (out.empty()) {
    out = {"/bin/sh", "-c"};
  }
  out.push_back(fmt::format("{}", fmt::join(args, " ")));
  return out;
}

std::vector<std::string> ImageState::resolve(const CommandLine& command) const {
  return command.shell ? with_shell(command.args) : command.args;
}

Status apply(const ArgStep& step, const WordExpander& expander, const ArgScope& scope,
             ImageState& state) {
  std::string text = "ARG";
  for (ArgStep::Argument argument : step.arguments) {
    const auto given = scope.build_args.find(argument.name);
    if (given != scope.build_args.end()) {
      argument.value = given->second;
    } else if (argument.value) {
      argument.value = TRY(expander(*argument.value));
    } else if (const std::string* global = scope.global.find(argument.name)) {
      argument.value = *global;
    }
    text += " " + argument.name;
    if (argument.value) {
      text += "=" + *argument.value;
    }
    const bool is_variable =
        std::find(kBuilderArgs.begin(), kBuilderArgs.end(), argument.name) == kBuilderArgs.end();
    state.declare(std::move(argument), is_variable);
  }
  state.commit(std::move(text), false);
  return {};
}

Status apply(const EnvStep& step, const WordExpander& expander, ImageState& state) {
  std::string text = "ENV";
  for (const auto& [key, value] : TRY(expand_pairs(step.pairs, expander))) {
    text += " " + key + "=" + value;
    state.set_env(key, value);
  }
  state.commit(std::move(text), false);
  return {};
}

Status apply(const LabelStep& step, const WordExpander& expander, ImageState& state) {
  std::string text = "LABEL";
  for (auto& [key, value] : TRY(expand_pairs(step.pairs, expander))) {
    text += " " + key + "=" + value;
    state.config.labels[key] = value;
  }
  state.commit(std::move(text), false);
  return {};
}

Status apply(const WorkdirStep& step, const WordExpander& expander, ImageState& state) {
  const std::string path = TRY(expander(step.path));
  std::string& dir = state.config.working_dir;
  if (path.starts_with('/')) {
    dir = path;
  } else {
    dir = clean_path("/" + dir + "/" + path);
  }
  state.cwd = clean_path(dir);
  state.commit("WORKDIR " + dir, state.cwd != "/");
  return {};
}

Status apply(const UserStep& step, const WordExpander& expander, ImageState& state) {
  state.config.user = TRY(expander(step.user));
  state.commit("USER " + state.config.user, false);
  return {};
}

Status apply(const VolumeStep& step, const WordExpander& expander, ImageState& state) {
  std::vector<std::string> paths;
  for (const std::string& path : step.paths) {
    auto expanded = TRY(expander(path));
    if (expanded.empty()) {
      return invalid_argument("VOLUME specified can not be an empty string");
    }
    paths.push_back(std::move(expanded));
  }
  state.config.volumes.insert(paths.begin(), paths.end());
  state.commit("VOLUME " + go_list(paths), false);
  return {};
}

Status apply(const ExposeStep& step, const WordsExpander& expander, ImageState& state) {
  std::vector<std::string> ports;
  for (const std::string& text : step.ports) {
    for (const std::string& word : TRY(expander(text))) {
      auto some = TRY(parse_port_spec(word));
      ports.insert(ports.end(), some.begin(), some.end());
    }
  }
  state.config.exposed_ports.insert(ports.begin(), ports.end());
  state.commit("EXPOSE " + go_list(ports), false);
  return {};
}

Status apply(const StopSignalStep& step, const WordExpander& expander, ImageState& state) {
  auto signal = TRY(expander(step.signal));
  if (!is_signal(signal)) {
    return invalid_argument("invalid signal: {}", signal)
        .with_hint("write a name such as SIGTERM, or a number");
  }
  state.config.stop_signal = signal;
  state.commit("STOPSIGNAL " + signal, false);
  return {};
}

Status apply(const ShellStep& step, ImageState& state) {
  state.config.shell = step.shell;
  state.commit("SHELL " + go_list(step.shell), false);
  return {};
}

Status apply(const MaintainerStep& step, ImageState& state) {
  state.config.author = step.author;
  state.commit("MAINTAINER " + step.author, false);
  return {};
}

Status apply(const CmdStep& step, ImageState& state) {
  state.config.cmd = state.resolve(step.command);
  state.config.args_escaped = true;
  state.cmd_set = true;
  state.commit("CMD " + go_quote(*state.config.cmd), false);
  return {};
}

Status apply(const EntrypointStep& step, ImageState& state) {
  const std::vector<std::string> args = state.resolve(step.command);
  state.config.entrypoint.reset();
  if (!args.empty()) {
    state.config.entrypoint = args;
  }
  // A command for the old entry point makes no sense for the new one, unless this stage itself has
  // set it.
  if (!state.cmd_set) {
    state.config.cmd.reset();
  }
  state.commit("ENTRYPOINT " + go_quote(args), false);
  return {};
}

Status apply(const HealthcheckStep& step, ImageState& state) {
  state.config.healthcheck = step.check;
  state.commit(health_text(step.check), false);
  return {};
}

Status apply(const OnbuildStep& step, ImageState& state) {
  state.config.on_build.push_back(step.expression);
  return {};
}

}  // namespace mybuild::frontend
