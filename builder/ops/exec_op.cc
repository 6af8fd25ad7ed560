// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/exec_op.h"

#include "builder/ops/exec_credentials.h"
#include "builder/ops/exec_devices.h"
#include "builder/ops/exec_mounts.h"
#include "builder/ops/selection_log.h"
#include "builder/ops/start_hint.h"
#include "builder/ops/trees.h"
#include "frontend/dockerfile/go_format.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "solver/key.h"

#include <fmt/ranges.h>

namespace mybuild::ops {

namespace {

using sandbox::SandboxPlan;
using solver::ExecOp;
using solver::InputRule;
using solver::ResultPtr;

constexpr std::string_view kDefaultHostname = "buildkitsandbox";

/// The text of /etc/hosts as BuildKit gives it to steps.
std::string hosts_text(const std::string& hostname, const std::vector<std::string>& extra) {
  std::string text =
      fmt::format("127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n", hostname);
  for (const std::string& host : extra) {
    const std::size_t equals = host.find('=');
    text += fmt::format("{}\t{}\n", host.substr(equals + 1), host.substr(0, equals));
  }
  return text;
}

/// What would let the command start; "" when nobody knows.
std::string hint_of(const sandbox::SandboxExit& exit, const oci::Platform& platform) {
  std::string hint = start_hint(exit.start_error, "the step", platform);
  if (hint.starts_with("the step is for")) {
    hint += ", or run it in a stage with FROM --platform=$BUILDPLATFORM";
  }
  return hint;
}

/// Not even a failed command: what the sandbox says about its start or its end becomes an Error
/// with docker's words.
Status check_exit(const ExecOp& op, const oci::Platform& platform,
                  const sandbox::SandboxExit& exit) {
  if (exit.status.success() && !exit.not_found && !exit.not_executable) {
    return {};
  }
  const int code = exit.status.signal != 0 ? 128 + exit.status.signal : exit.status.code;
  const std::string command = frontend::go_quote(fmt::format("{}", fmt::join(op.args, " ")));
  std::string message =
      fmt::format("process {} did not complete successfully: exit code: {}", command, code);
  if (!exit.start_error.empty()) {
    message = fmt::format("process {} could not be started: {}", command, exit.start_error);
  }
  if (exit.oom_killed) {
    message += " (killed: out of memory)";
  }
  return Error(ErrorKind::ProcessFailed, std::move(message))
      .with_exit_code(code)
      .with_hint(hint_of(exit, platform));
}

/// What a step runs in.
struct StepRoom {
  StepCredentials credentials;
  TempDir scratch;
  PreparedMounts mounts;
  std::unique_ptr<snapshotter::Active> active;
  SandboxPlan plan;
};

/// A step that failed by itself, or took too long, leaves evidence; one that was stopped does not.
bool has_failed(const Error& error) {
  return error.kind() == ErrorKind::ProcessFailed || error.kind() == ErrorKind::Deadline;
}

class ExecOpRunner final : public solver::Op {
 public:
  ExecOpRunner(const solver::Vertex& vertex, const OpDeps& deps)
      : vertex_(vertex),
        op_(std::get<ExecOp>(vertex.op)),
        deps_(deps),
        noted_(deps.selections),
        contexts_(deps) {}

  Lane lane() const override { return Lane::Exec; }
  bool is_direct() const override { return false; }

  std::string definition() const override { return exec_definition(vertex_); }

  InputRule input_rule(std::size_t input) const override {
    return bind_of(input) != nullptr ? InputRule::Selected : InputRule::Whole;
  }

  /// Everything that any bind mount shows of the input.
  Result<Digest> content_digest(std::size_t input, const ResultPtr& result) override {
    solver::KeyBuilder key("mybuild.binds.v1");
    std::vector<SharedSelection> all;
    for (const solver::ExecMount& mount : op_.mounts) {
      const auto* bind = std::get_if<solver::BindMount>(&mount.kind);
      if (bind != nullptr && mount.input == input) {
        SharedSelection selected = TRY(select_bind(bind->source, result, deps_, contexts_));
        key.add(selection_digest(*selected, NamedDirectories::Shown));
        all.push_back(std::move(selected));
      }
    }
    const Digest digest = key.finish();
    noted_.note(digest, std::move(all));
    return digest;
  }

  Result<std::optional<solver::Output>> restore(const solver::CacheRecord& record,
                                                const std::vector<ResultPtr>& inputs) override {
    const TreeResult* root = TRY(root_of(inputs));
    return restore_layer(record, root, vertex_, deps_);
  }

  /// The files of a base image are downloaded, cache mounts that others hold are waited for.
  Status prepare(const std::vector<ResultPtr>& inputs, const Cancel& cancel) override {
    const TreeResult* root = TRY(root_of(inputs));
    StepRoom room = TRY(make_room(root, inputs, cancel));
    room_ = std::move(room);
    return {};
  }

  Result<solver::Output> exec(const std::vector<ResultPtr>& inputs,
                              const std::vector<solver::OutputId>& ids,
                              const Cancel& cancel) override {
    noted_.report();
    const TreeResult* root = TRY(root_of(inputs));
    if (!room_) {
      TRY(prepare(inputs, cancel));
    }
    StepRoom room = std::move(*room_);
    room_.reset();
    const Result<sandbox::SandboxExit> exit = deps_.sandbox.run(
        room.plan, sandbox::Stdio{.on_output = log_sink(), .in = {}, .out = {}, .err = {}}, cancel,
        room.credentials.fds());
    const Status succeeded = how_it_went(exit, cancel);
    if (!succeeded && !has_failed(succeeded.error())) {
      return succeeded.error();
    }
    if (!succeeded && deps_.failed == nullptr) {
      return succeeded.error();
    }
    const solver::OutputId parent = op_.has_root ? ids[0] : solver::OutputId{};
    Result<solver::Output> output = commit(std::move(room.active), root, parent);
    deps_.layers.discard(std::move(room.scratch));
    if (succeeded) {
      return output;
    }
    if (output) {
      deps_.failed->put(vertex_.id, std::move(output->result));
    }
    return succeeded.error();
  }

  Result<sandbox::SandboxExit> run_shell(const std::vector<ResultPtr>& inputs,
                                         const ResultPtr& files, sandbox::Stdio stdio, int signals,
                                         const Cancel& cancel) {
    const TreeResult* root = TRY(as_tree(files));
    StepRoom room = TRY(make_room(root, inputs, cancel));
    room.plan.argv = {shell_of(op_)};
    room.plan.env.emplace_back("TERM=xterm");
    room.plan.terminal = true;
    room.plan.batch = false;
    return deps_.sandbox.run(room.plan, std::move(stdio), cancel, room.credentials.fds(), signals);
  }

 private:
  Status how_it_went(const Result<sandbox::SandboxExit>& exit, const Cancel& cancel) const {
    TRY(cancel.check());
    if (!exit) {
      return exit.error();
    }
    return check_exit(op_, vertex_.platform, *exit);
  }

  Result<solver::Output> commit(std::unique_ptr<snapshotter::Active> active, const TreeResult* root,
                                const solver::OutputId& root_id) const {
    const std::string changed = TRY(deps_.snapshotter.finish(std::move(active)));
    const snapshotter::Layer layer = TRY(deps_.layers.commit_tree(
        changed, deps_.wanted_blobs.of(vertex_.id), deps_.wanted_blobs.draft_of(vertex_.id)));
    return with_layer(root, root_id, layer, deps_.clock.now());
  }

  Result<StepRoom> make_room(const TreeResult* root, const std::vector<ResultPtr>& inputs,
                             const Cancel& cancel) {
    StepCredentials credentials = TRY(StepCredentials::prepare(op_, deps_, cancel));
    TempDir scratch = TRY(deps_.layers.scratch());
    PreparedMounts mounts =
        TRY(prepare_mounts(vertex_, inputs, scratch.path(), deps_, contexts_, cancel));
    contexts_.release();
    std::unique_ptr<snapshotter::Active> active = TRY(prepare_root(root, scratch.path()));
    SandboxPlan plan = make_plan(active->root());
    plan.mounts = std::move(mounts.mounts);
    TRY(complete(plan, credentials));
    return StepRoom{.credentials = std::move(credentials),
                    .scratch = std::move(scratch),
                    .mounts = std::move(mounts),
                    .active = std::move(active),
                    .plan = std::move(plan)};
  }

  const solver::BindMount* bind_of(std::size_t input) const {
    if (op_.has_root && input == 0) {
      return nullptr;
    }
    for (const solver::ExecMount& mount : op_.mounts) {
      if (mount.input == input) {
        return std::get_if<solver::BindMount>(&mount.kind);
      }
    }
    return nullptr;
  }

  Result<const TreeResult*> root_of(const std::vector<ResultPtr>& inputs) const {
    return as_tree(op_.has_root ? inputs[0] : nullptr);
  }

  Result<std::unique_ptr<snapshotter::Active>> prepare_root(const TreeResult* root,
                                                            const std::string& scratch) const {
    const std::vector<std::string> dirs = TRY(layer_dirs(root, deps_));
    const std::string own = join_path(scratch, "root");
    TRY(sys::mkdir_at(AT_FDCWD, own, 0700));
    return deps_.snapshotter.prepare(dirs, own);
  }

  SandboxPlan make_plan(const snapshotter::RootMount& root) const {
    SandboxPlan plan;
    plan.root = root;
    plan.batch = true;
    plan.insecure = op_.security == solver::SecurityMode::Insecure;
    plan.argv = op_.args;
    plan.env = op_.env;
    plan.env.insert(plan.env.end(), op_.proxy_env.begin(), op_.proxy_env.end());
    plan.cwd = op_.cwd;
    plan.user = op_.user;
    plan.hostname = op_.hostname.empty() ? std::string(kDefaultHostname) : op_.hostname;
    plan.network =
        op_.network == solver::NetworkMode::None ? sandbox::Network::None : sandbox::Network::Host;
    plan.hosts = hosts_text(plan.hostname, op_.extra_hosts);
    plan.resolv_conf = deps_.resolv_conf;
    if (op_.shm_size != 0) {
      plan.shm_size = op_.shm_size;
    }
    for (const solver::Ulimit& limit : op_.ulimits) {
      plan.rlimits.push_back({.name = limit.name,
                              .soft = static_cast<std::uint64_t>(limit.soft),
                              .hard = static_cast<std::uint64_t>(limit.hard)});
    }
    return plan;
  }

  /// Adds what does not follow from the op alone, and the places of all mounts.
  Status complete(SandboxPlan& plan, const StepCredentials& credentials) const {
    plan.secret_env = credentials.variables();
    plan.mounts.insert(plan.mounts.end(), credentials.mounts().begin(), credentials.mounts().end());
    const devices::ContainerEdits edits = TRY(deps_.devices.edits(op_.devices));
    TRY(add_devices(edits, plan));
    sort_mounts(plan.mounts);
    return add_mount_points(plan);
  }

  /// Mount points come from a lowest layer of their own where the driver can stack one, so none
  /// lands in the step's layer.
  Status add_mount_points(SandboxPlan& plan) const {
    if (!deps_.snapshotter.capabilities().extra_lower) {
      return {};
    }
    std::string points = TRY(deps_.mount_points.layer_for(plan));
    plan.root.lower.insert(plan.root.lower.begin(), std::move(points));
    plan.mount_points_in_lower = true;
    return {};
  }

  std::function<void(int, std::string_view)> log_sink() const {
    return [this](int stream, std::string_view bytes) {
      deps_.events.on_event(solver::LogChunk{.vertex = vertex_.id,
                                             .stream = stream,
                                             .bytes = std::string(bytes),
                                             .time = deps_.clock.now()});
    };
  }

  const solver::Vertex& vertex_;
  const ExecOp& op_;
  const OpDeps& deps_;
  NotedSelections noted_;
  BoundContexts contexts_;
  std::optional<StepRoom> room_;  // from prepare() to exec()
};

}  // namespace

std::string exec_definition(const solver::Vertex& vertex) {
  return fmt::format("{}\nplatform {}\nisolation root\n", solver::encode(vertex.op),
                     oci::to_string(vertex.platform));
}

std::string shell_of(const ExecOp& op) {
  const std::size_t count = op.args.size();
  const bool is_shell_form = count >= 3 && op.args[count - 2].starts_with('-') &&
                             op.args[count - 2].find('c') != std::string::npos;
  return is_shell_form ? op.args.front() : "/bin/sh";
}

Result<sandbox::SandboxExit> run_shell(const solver::Vertex& vertex,
                                       const std::vector<ResultPtr>& inputs, const ResultPtr& files,
                                       const OpDeps& deps, sandbox::Stdio stdio, int signals,
                                       const Cancel& cancel) {
  if (std::holds_alternative<ExecOp>(vertex.op)) {
    return ExecOpRunner(vertex, deps).run_shell(inputs, files, std::move(stdio), signals, cancel);
  }
  solver::Vertex plain = vertex;
  ExecOp op;
  op.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  plain.op = std::move(op);
  return ExecOpRunner(plain, deps).run_shell({files}, files, std::move(stdio), signals, cancel);
}

std::unique_ptr<solver::Op> make_exec_op(const solver::Vertex& vertex, const OpDeps& deps) {
  return std::make_unique<ExecOpRunner>(vertex, deps);
}

}  // namespace mybuild::ops
