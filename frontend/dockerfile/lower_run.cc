// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/heredoc.h"
#include "frontend/dockerfile/lower.h"
#include "frontend/ignore/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kInlineDirectory = "/dev/pipes/";
constexpr std::string_view kHiddenSecret = "****";

/// What is being put together for one RUN.
struct Draft {
  solver::ExecOp op;
  std::vector<solver::Edge> inputs;
  std::uint32_t ssh_mounts = 0;
  std::optional<std::string> ssh_socket;  // of the first one
  std::vector<std::string> secret_variables;

  /// Every tree gets an input of its own: one may be read as a whole, another in part.
  std::optional<std::uint32_t> add_input(const std::optional<solver::Edge>& edge) {
    if (!edge) {
      return std::nullopt;
    }
    inputs.push_back(*edge);
    return static_cast<std::uint32_t>(inputs.size() - 1);
  }
};

/// "RUN <<EOF (first line...)" says in one line what a heredoc holds.
std::string summary(std::string_view content) {
  content = trim(content);
  const auto end = content.find_first_of("\r\n");
  return fmt::format(" ({}{})", content.substr(0, end), end == std::string_view::npos ? "" : "...");
}

struct Command {
  std::vector<std::string> args;
  std::string summary;
};

/// The command with its heredocs: one alone is the script, or with "#!" a file that is run; others
/// go to the shell as they are.
Result<Command> command_of(StepContext& context, const RunStep& step, Draft& draft) {
  const std::vector<std::string>& args = step.command.args;
  if (step.heredocs.empty()) {
    return Command{args, {}};
  }
  const Heredoc& first = step.heredocs[0];
  if (!parse_heredoc(args[0])) {
    std::string text = args[0];
    for (const Heredoc& heredoc : step.heredocs) {
      text += "\n" + heredoc.content + heredoc.name;
    }
    return Command{{std::move(text)}, {}};
  }
  const std::string content = heredoc_text(first);
  if (!first.content.starts_with("#!")) {  // as written: behind a tab it is a comment for the shell
    return Command{{content}, summary(first.content)};
  }
  const solver::Edge file =
      context.build.inline_file(first.name, content, 0755, context.state.platform);
  solver::ExecMount mount{.target = clean_path(kInlineDirectory),
                          .input = draft.add_input(file),
                          .kind = solver::BindMount{}};
  draft.op.mounts.push_back(std::move(mount));
  return Command{{std::string(kInlineDirectory) + first.name}, summary(first.content)};
}

std::string absolute(const StepContext& context, std::string_view path) {
  return path.starts_with('/') ? clean_path(path)
                               : clean_path(fmt::format("{}/{}", context.state.image.cwd, path));
}

std::string last_component(std::string_view path) {
  const std::string clean = clean_path(path);
  return clean.substr(clean.rfind('/') + 1);
}

Status check_target(const std::string& target) {
  if (target == "/") {
    return invalid_argument("invalid mount target \"{}\"", target)
        .with_hint("a mount needs target=/path, other than the root");
  }
  return {};
}

// Unlike the targets of trees, those of secrets and sockets are not taken from the working
// directory.
solver::ExecMount secret_mount(const RunMount& mount) {
  solver::SecretMount secret;
  secret.id = !mount.source.empty() ? mount.source : mount.id;
  if (secret.id.empty()) {
    secret.id = last_component(mount.target);
  }
  secret.env = mount.env;
  secret.required = mount.required;
  secret.mode = mount.mode.value_or(0400);
  secret.uid = mount.uid.value_or(0);
  secret.gid = mount.gid.value_or(0);
  std::string target;
  if (!mount.target.empty()) {
    target = clean_path("/" + mount.target);
  } else if (!mount.env) {
    target = "/run/secrets/" + last_component(secret.id);
  }
  return {.target = std::move(target), .input = {}, .kind = std::move(secret)};
}

solver::ExecMount ssh_mount(const RunMount& mount, Draft& draft) {
  solver::SshMount ssh{.id = mount.id.empty() ? "default" : mount.id,
                       .required = mount.required,
                       .mode = mount.mode.value_or(0600),
                       .uid = mount.uid.value_or(0),
                       .gid = mount.gid.value_or(0)};
  std::string target = mount.target.empty()
                           ? fmt::format("/run/buildkit/ssh_agent.{}", draft.ssh_mounts)
                           : clean_path("/" + mount.target);
  ++draft.ssh_mounts;
  if (!draft.ssh_socket) {
    draft.ssh_socket = target;
  }
  return {.target = std::move(target), .input = {}, .kind = std::move(ssh)};
}

solver::CacheSharing sharing_of(std::string_view text) {
  if (text == "private") {
    return solver::CacheSharing::Private;
  }
  return text == "locked" ? solver::CacheSharing::Locked : solver::CacheSharing::Shared;
}

solver::CacheMount cache_mount(const StepContext& context, const RunMount& mount) {
  const auto& args = context.build.input().build_args;
  const auto space = args.find("BUILDKIT_CACHE_MOUNT_NS");
  std::string id = mount.id.empty() ? clean_path(mount.target) : mount.id;
  if (space != args.end() && !space->second.empty()) {
    id = space->second + "/" + id;
  }
  return {.id = std::move(id),
          .sharing = sharing_of(mount.sharing),
          .source = clean_path("/" + mount.source),
          .read_only = mount.read_only,
          .mode = mount.mode.value_or(0755),
          .uid = mount.uid.value_or(0),
          .gid = mount.gid.value_or(0)};
}

/// Bind, cache and tmpfs: mounts of trees.
Result<solver::ExecMount> tree_mount(StepContext& context, const RunMount& mount, std::size_t index,
                                     Draft& draft) {
  solver::ExecMount out{.target = absolute(context, mount.target), .input = {}, .kind = {}};
  TRY(check_target(out.target));
  if (mount.type == MountType::Tmpfs) {
    out.kind = solver::TmpfsMount{mount.size};
    return out;
  }
  if (!mount.from.empty()) {
    const auto tree = TRY(context.source_tree(index, "mount from"));
    out.input = draft.add_input(tree);
  } else if (mount.type == MountType::Bind) {
    out.input = draft.add_input(context.build.build_context());
  }
  if (mount.type == MountType::Cache) {
    out.kind = cache_mount(context, mount);
  } else {
    out.kind = solver::BindMount{clean_path("/" + mount.source), !mount.read_only};
  }
  return out;
}

Status add_mounts(StepContext& context, const RunStep& step, Draft& draft) {
  Inspector& inspector = context.build.inspector();
  for (std::size_t i = 0; i < step.mounts.size(); ++i) {
    const RunMount mount = TRY(parse_run_mount(step.mounts[i], context.expander()));
    if (mount.type == MountType::Secret) {
      draft.op.mounts.push_back(secret_mount(mount));
      inspector.see_mount(context.step(), mount,
                          std::get<solver::SecretMount>(draft.op.mounts.back().kind).id);
      if (mount.env) {
        draft.secret_variables.push_back(*mount.env);
      }
      TRY(check_target(draft.op.mounts.back().target));
    } else if (mount.type == MountType::Ssh) {
      draft.op.mounts.push_back(ssh_mount(mount, draft));
      TRY(check_target(draft.op.mounts.back().target));
      inspector.see_mount(context.step(), mount,
                          std::get<solver::SshMount>(draft.op.mounts.back().kind).id);
    } else {
      auto tree = TRY(tree_mount(context, mount, i, draft));
      if (const auto* cache = std::get_if<solver::CacheMount>(&tree.kind)) {
        inspector.see_mount(context.step(), mount, cache->id);
      }
      draft.op.mounts.push_back(std::move(tree));
    }
  }
  return {};
}

/// Build arguments every command gets without being declared, and without being part of what the
/// step is.
std::vector<std::string> proxy_variables(const std::map<std::string, std::string>& build_args) {
  constexpr std::array<std::string_view, 5> kProxies{"http_proxy", "https_proxy", "ftp_proxy",
                                                     "no_proxy", "all_proxy"};
  std::vector<std::string> out;
  for (const std::string_view proxy : kProxies) {
    std::string value;
    for (const auto& [name, given] : build_args) {
      value = equal_fold(name, proxy) ? given : value;
    }
    if (!value.empty()) {
      out.push_back(to_upper(proxy) + "=" + value);
      out.push_back(std::string(proxy) + "=" + value);
    }
  }
  return out;
}

void set_surroundings(const StepContext& context, const RunStep& step, Draft& draft) {
  const FrontendInput& input = context.build.input();
  const ImageState& image = context.state.image;
  solver::ExecOp& op = draft.op;
  op.env = image.env().strings();
  if (draft.ssh_socket && image.env().find("SSH_AUTH_SOCK") == nullptr) {
    op.env.push_back("SSH_AUTH_SOCK=" + *draft.ssh_socket);
  }
  op.cwd = image.cwd;
  op.user = image.config.user;
  if (const auto name = input.build_args.find("BUILDKIT_SANDBOX_HOSTNAME");
      name != input.build_args.end()) {
    op.hostname = name->second;
  }
  op.network = step.network == "none"   ? solver::NetworkMode::None
               : step.network == "host" ? solver::NetworkMode::Host
                                        : input.network;
  op.security =
      step.security == "insecure" ? solver::SecurityMode::Insecure : solver::SecurityMode::Sandbox;
  op.devices = step.devices;
  op.extra_hosts = input.extra_hosts;
  op.shm_size = input.shm_size;
  op.ulimits = input.ulimits;
  op.proxy_env = proxy_variables(input.build_args);
}

/// The command as progress shows it: variables filled in where they are known, secrets only by
/// their place.
std::string shown_text(const StepContext& context, const Draft& draft, const std::string& text) {
  const ExpandOptions options{
      .escape = context.build.plan().escape(), .keep_quotes = true, .keep_unset = true};
  if (draft.secret_variables.empty()) {
    const auto shown = expand(text, context.state.image.env(), options);
    return shown ? shown->text : text;
  }
  EnvList masked = context.state.image.env();
  for (const std::string& name : draft.secret_variables) {
    masked.set(name, kHiddenSecret);
  }
  const auto shown = expand(text, masked, options);
  return shown ? shown->text : text;
}

}  // namespace

Status lower_run(StepContext& context, const RunStep& step) {
  StageState& state = context.state;
  Draft draft;
  draft.op.has_root = state.root.has_value();
  draft.add_input(state.root);
  const Command command = TRY(command_of(context, step, draft));
  draft.op.args = step.command.shell ? state.image.with_shell(command.args) : command.args;
  TRY(add_mounts(context, step, draft));
  set_surroundings(context, step, draft);

  std::string history = fmt::format("RUN {}{} # buildkit", state.image.declared_args(),
                                    fmt::join(draft.op.args, " "));
  auto meta = context.meta(shown_text(context, draft, context.step().text + command.summary));
  state.root = context.build.graph().add(std::move(draft.op), std::move(draft.inputs),
                                         state.platform, std::move(meta));
  state.image.commit(std::move(history), true);
  return {};
}

}  // namespace mybuild::frontend
