// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/inspector.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/copy_source.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mybuild::frontend {

namespace {

using checks::Rule;

/// Steer the builder and are never variables of a step, so that nobody can miss them.
constexpr std::array<std::string_view, 2> kBuilderArgs{"BUILDKIT_SBOM_SCAN_CONTEXT",
                                                       "BUILDKIT_SBOM_SCAN_STAGE"};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "name", "name:group", "10:group": looked up in the stage's own files.
bool has_name(std::string_view owner) {
  const auto colon = owner.find(':');
  return !is_number(owner.substr(0, colon)) ||
         (colon != std::string_view::npos && !is_number(owner.substr(colon + 1)));
}

checks::Lines lines_of(const Step& step) {
  return {step.lines.first, step.lines.last};
}

}  // namespace

Inspector::Inspector(const StagePlan& plan)
    : plan_(plan),
      linter_(plan.linter()),
      notes_wanted_(plan.input().purpose == Purpose::Outline),
      notes_(static_cast<std::size_t>(plan.size())) {}

void Inspector::start_stage(int index) {
  const PlannedStage& stage = plan_.stage(index);
  notes_now_ = &notes_[static_cast<std::size_t>(index)];
  notes_now_->base_unknown = stage.image_unknown;
  if (stage.parent != kNoStage) {
    const Notes& parent = notes_[static_cast<std::size_t>(stage.parent)];
    notes_now_->has_workdir = parent.has_workdir;
    notes_now_->base_unknown = parent.base_unknown;
  }
  if (stage.text == nullptr || !stage.image || !stage.request || stage.image_unknown) {
    return;
  }
  const oci::Platform& wanted = stage.request->platform;
  const oci::Platform& actual = stage.image->config.platform;
  if (wanted.os != actual.os || wanted.architecture != actual.architecture) {
    add(Rule::InvalidBaseImagePlatform, stage.text->from,
        fmt::format("Base image {} was pulled with platform \"{}\", expected \"{}\" for current "
                    "build",
                    stage.base, oci::to_string(actual), oci::to_string(wanted)));
  }
}

void Inspector::add(Rule rule, const checks::Place& place, std::string detail) {
  if (knows_base()) {
    linter_.add(rule, place, std::move(detail));
  }
}
void Inspector::add(Rule rule, const Step& step, std::string detail) {
  add(rule, place_of(step), std::move(detail));
}

void Inspector::see(const Step& step, const ImageState& image) {
  if (const auto* env = std::get_if<EnvStep>(&step.body)) {
    see_pairs(step, env->legacy_pair);
    for (const auto& [name, value] : env->pairs) {
      see_name(step, "ENV", name);
    }
  } else if (const auto* label = std::get_if<LabelStep>(&step.body)) {
    see_pairs(step, label->legacy_pair);
  } else if (const auto* cmd = std::get_if<CmdStep>(&step.body)) {
    see_once(step, notes_now_->once.cmd);
    see_command(step, cmd->command, image);
  } else if (const auto* entrypoint = std::get_if<EntrypointStep>(&step.body)) {
    see_once(step, notes_now_->once.entrypoint);
    see_command(step, entrypoint->command, image);
  } else if (std::holds_alternative<HealthcheckStep>(step.body)) {
    see_once(step, notes_now_->once.healthcheck);
  }
}

void Inspector::see_once(const Step& step, std::optional<checks::Place>& last) {
  if (last) {
    add(Rule::MultipleInstructionsDisallowed, *last,
        fmt::format("Multiple {} instructions should not be used in the same stage because only "
                    "the last one will be used",
                    verb_of(step)));
  }
  last = place_of(step);
}

void Inspector::see_command(const Step& step, const CommandLine& command, const ImageState& image) {
  if (command.shell && image.config.shell.empty()) {
    add(Rule::JsonArgsRecommended, step,
        fmt::format("JSON arguments recommended for {} to prevent unintended behavior related to "
                    "OS signals",
                    verb_of(step)));
  }
}

void Inspector::see_pairs(const Step& step, bool legacy) {
  if (legacy) {
    const std::string_view verb = verb_of(step);
    add(Rule::LegacyKeyValueFormat, step,
        fmt::format("\"{} key=value\" should be used instead of legacy \"{} key value\" format",
                    verb, verb));
  }
}

void Inspector::see_name(const Step& step, std::string_view verb, const std::string& name) {
  if (checks::is_secret_name(name)) {
    add(Rule::SecretsUsedInArgOrEnv, step,
        fmt::format("Do not use ARG or ENV instructions for sensitive data ({} {})", verb,
                    go_quote(name)));
  }
}

void Inspector::see_unset(const Step& step, const std::vector<std::string>& names,
                          const ImageState& image) {
  for (const std::string& name : names) {
    if (image.is_declared(name) ||
        std::find(kBuilderArgs.begin(), kBuilderArgs.end(), name) != kBuilderArgs.end()) {
      continue;
    }
    const std::vector<std::string> known =
        linter_.may_guess() ? image.env().names() : std::vector<std::string>();
    const std::string_view near = linter_.guess(name, known);
    add(Rule::UndefinedVar, step,
        fmt::format("Usage of undefined variable '${}'{}", name,
                    near.empty() ? "" : fmt::format(" (did you mean ${}?)", near)));
  }
}

void Inspector::see_arg(const Step& step, const ArgStep& arg, const ImageState& image) {
  for (const ArgStep::Argument& argument : arg.arguments) {
    see_name(step, "ARG", argument.name);
    const std::string* value = image.env().find(argument.name);
    const auto in_image = image.find_image_env(argument.name);
    if (value != nullptr && in_image && *in_image != *value) {
      add(Rule::ArgOverridesEnv, step,
          fmt::format("ARG {0} hides the ENV {0} before it: later steps see \"{1}\", containers "
                      "of the image \"{2}\"",
                      argument.name, *value, *in_image));
    }
    if (notes_wanted_) {
      note_arg(step, argument, value);
    }
  }
}

void Inspector::note_arg(const Step& step, const ArgStep::Argument& argument,
                         const std::string* value) {
  const bool given = plan_.input().build_args.contains(argument.name);
  const bool has_own = argument.value || given;
  if (!has_own && plan_.global_args().find(argument.name) != nullptr) {
    notes_now_->inherited.push_back(argument.name);
    return;
  }
  std::erase_if(notes_now_->args, [&](const auto& one) { return one.name == argument.name; });
  notes_now_->args.push_back({.name = argument.name,
                              .description = description_of(step.comments, argument.name),
                              .value = has_own && value != nullptr ? *value : std::string(),
                              .lines = lines_of(step)});
}

void Inspector::see_workdir(const Step& step, const std::string& path) {
  if (!std::exchange(notes_now_->has_workdir, true) && !path.starts_with('/')) {
    add(Rule::WorkdirRelativePath, step,
        fmt::format("Relative workdir {} can have unexpected results if the base image changes",
                    go_quote(path)));
  }
}

void Inspector::see_port(const Step& step, const std::string& port) {
  if (checks::has_upper_protocol(port)) {
    add(Rule::ExposeProtoCasing, step,
        fmt::format("Defined protocol '{}' in EXPOSE instruction should be lowercase", port));
  }
  if (checks::names_host_port(port)) {
    add(Rule::ExposeInvalidFormat, step,
        fmt::format("EXPOSE instruction should not define an IP address or host-port mapping, "
                    "found '{}'",
                    port));
  }
}

void Inspector::see_sources(const Step& step, bool is_add, const CopyFacts& copy) {
  if (!ignored_) {
    ignored_.emplace(plan_.input().ignored);
  }
  for (const std::string& source : copy.sources) {
    if (!is_remote(source) && ignored_->ignores(source)) {
      add(Rule::CopyIgnoredFile, step,
          fmt::format("Attempting to {} file {} that is excluded by .dockerignore",
                      is_add ? "Add" : "Copy", go_quote(clean_path(source))));
    }
  }
}

void Inspector::see_destination(const Step& step, const CopyFacts& copy, const ImageState& image) {
  const bool may_be_directory = copy.path.ends_with('/') || copy.path == image.cwd;
  const auto trees = std::count_if(copy.sources.begin(), copy.sources.end(),
                                   [](const std::string& source) { return is_git(source); });
  const bool has_several = copy.sources.size() + copy.files > static_cast<std::size_t>(trees) + 1;
  if (has_several && !may_be_directory) {
    add(Rule::SourcesWithoutSlash, step,
        fmt::format("{} has no slash at its end: unless it is a directory already, each source "
                    "overwrites the one before",
                    go_quote(copy.dest)));
  }
}

void Inspector::see_copy(const Step& step, bool is_add, const CopyFacts& copy,
                         const ImageState& image) {
  if (copy.from_context) {
    see_sources(step, is_add, copy);
  }
  see_destination(step, copy, image);
  if (copy.link_lost) {
    add(Rule::LinkLostByChmod, step,
        "--link does nothing beside --chmod: the layer depends on what is below it; set the mode "
        "of the sources instead");
  }
  if (copy.onto_nothing && !copy.chown.empty() && has_name(copy.chown)) {
    add(Rule::ChownNameUnknown, step,
        fmt::format("--chown={} names somebody whom an empty stage cannot know: the files will be "
                    "root's",
                    copy.chown));
  }
}

void Inspector::see_mount(const Step& step, const RunMount& mount, const std::string& id) {
  if (notes_wanted_) {
    note_mount(step, mount, id);
  }
  if (mount.type != MountType::Cache || !mount.source.empty()) {
    return;
  }
  const std::string owner = fmt::format("uid={},gid={},mode={:04o}", mount.uid.value_or(0),
                                        mount.gid.value_or(0), mount.mode.value_or(0755));
  const auto [known, is_new] = cache_owners_.emplace(id, CacheOwner{owner, step.lines.first});
  if (!is_new && known->second.text != owner) {
    add(Rule::CacheOwnerDiffers, step,
        fmt::format("cache \"{}\" has {} here and {} in line {}: these are two caches", id, owner,
                    known->second.text, known->second.line));
  }
}

void Inspector::note_mount(const Step& step, const RunMount& mount, const std::string& id) {
  const checks::Outline::Credential credential{
      .name = id, .required = mount.required, .lines = lines_of(step)};
  if (mount.type == MountType::Secret) {
    notes_now_->secrets.push_back(credential);
  } else if (mount.type == MountType::Ssh) {
    notes_now_->ssh.push_back(credential);
  } else if (mount.type == MountType::Cache) {
    notes_now_->caches.push_back({.id = id, .lines = lines_of(step)});
  }
}

}  // namespace mybuild::frontend
