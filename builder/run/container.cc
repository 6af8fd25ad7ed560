// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container.h"

#include "builder/run/foreground.h"
#include "builder/run/id_file.h"
#include "builder/run/mounts.h"
#include "builder/run/names.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

namespace mybuild::run {

namespace {

constexpr int kSignalBase = 128;
constexpr int kNotStarted = 125;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr int kHeldFd = 3;  // the first descriptor that a sandbox gets

/// None at all is no reason to refuse: the program may not need names.
std::string host_resolv_conf() {
  return read_file("/etc/resolv.conf").value_or(std::string());
}

std::string scratch_of(const OwnedContainer& container) {
  return join_path(container.path(), "fs");
}

ContainerExit exit_of(const sandbox::SandboxExit& ended) {
  if (ended.not_found || ended.not_executable) {
    return {.code = ended.not_found ? kNotFound : kNotExecutable,
            .start_error = ended.start_error,
            .hint = {},
            .warning = {}};
  }
  const ExitStatus& status = ended.status;
  return {.code = status.signal != 0 ? kSignalBase + status.signal : status.code,
          .start_error = {},
          .hint = {},
          .warning = {}};
}

Result<ContainerExit> run_program(const sandbox::SandboxPlan& plan, bool interactive,
                                  const OwnedContainer& container, sandbox::Sandbox& sandbox,
                                  const Cancel& cancel) {
  const std::unique_ptr<Foreground> foreground = TRY(Foreground::start(
      {.interactive = interactive, .terminal = plan.terminal, .signals = container.signals()}));
  const sandbox::SandboxExit ended = TRY(sandbox.run(plan, foreground->take_stdio(), cancel,
                                                     {container.signals()}, foreground->signals()));
  foreground->finish();
  return exit_of(ended);
}

ContainerState state_of(const Result<ContainerExit>& ended) {
  ContainerState state;
  state.exit_code = ended ? ended->code : kNotStarted;
  state.error = ended ? ended->start_error : ended.error().message();
  state.status = state.error.empty() ? ContainerStatus::Exited : ContainerStatus::Created;
  return state;
}

/// From the complete container to its end.
Result<ContainerExit> run_complete(std::unique_ptr<OwnedContainer> container,
                                   const snapshotter::RootMount& root, bool interactive,
                                   ContainerDeps& deps, const Cancel& cancel) {
  sandbox::SandboxPlan plan = container->record().plan;
  plan.root = root;
  plan.root.durable = !container->record().auto_remove;
  plan.resolv_conf = host_resolv_conf();
  plan.held_fd =
      kHeldFd;  // so that nobody starts it anew while its last processes are being killed
  TRY(container->begin());
  Result<ContainerExit> ended = run_program(plan, interactive, *container, deps.sandbox, cancel);
  const Status noted = container->end(state_of(ended));
  if (!noted && ended) {
    ended->warning =
        fmt::format("exit code {} was not recorded: {}", ended->code, noted.error().message());
  }
  return ended;
}

Result<ContainerRecord> make_record(const ContainerImage& image, const RunRequest& request,
                                    const VolumeStore& volumes) {
  ContainerRecord record;
  record.id = TRY(new_id());
  RunRequest named = request;
  if (named.hostname.empty()) {
    named.hostname = record.id.substr(0, kShortId);
  }
  record.plan = TRY(make_container_plan(image.config, named));
  record.volumes = TRY(add_volumes(image.config, request, volumes, record.plan));
  record.name = request.name;
  record.image = request.image;
  record.image_id = image.id;
  record.layers = image.config.diff_ids;
  CommandLine line = command_line(image.config, request);
  record.entrypoint = std::move(line.entrypoint);
  record.cmd = std::move(line.cmd);
  record.labels = request.labels;
  record.labels.insert(image.config.labels.begin(), image.config.labels.end());
  record.exposed_ports = image.config.exposed_ports;
  record.stop_signal = image.config.stop_signal;
  record.interactive = request.interactive;
  record.auto_remove = request.auto_remove;
  return record;
}

}  // namespace

Result<ContainerExit> run_container(const ContainerImage& image, const RunRequest& request,
                                    ContainerDeps& deps, const Cancel& cancel) {
  ContainerRecord record = TRY(make_record(image, request, deps.volumes));
  IdFile id_file = TRY(IdFile::reserve(request.id_file));
  std::unique_ptr<OwnedContainer> container = TRY(deps.containers.create(std::move(record)));
  TRY(make_volume_sources(request.volumes));
  TRY(prepare_volumes(container->record().volumes, image.layer_dirs, deps.volumes));
  const std::string scratch = scratch_of(*container);
  TRY(sys::mkdir_at(AT_FDCWD, scratch, 0700));
  const snapshotter::RootMount root = TRY(deps.snapshotter.create_root(image.layer_dirs, scratch));
  TRY(std::move(id_file).write(container->record().id));
  return run_complete(std::move(container), root, request.interactive, deps, cancel);
}

Result<ContainerExit> start_container(std::unique_ptr<OwnedContainer> container,
                                      const std::vector<std::string>& layer_dirs, bool interactive,
                                      ContainerDeps& deps, const Cancel& cancel) {
  const snapshotter::RootMount root =
      TRY(deps.snapshotter.reopen_root(layer_dirs, scratch_of(*container)));
  const bool reads = interactive && container->record().interactive;
  return run_complete(std::move(container), root, reads, deps, cancel);
}

}  // namespace mybuild::run
