// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container.h"

#include "builder/run/container_dir.h"
#include "builder/run/foreground.h"
#include "builder/run/mounts.h"
#include "snapshotter/base/sys.h"

namespace mybuild::run {

namespace {

constexpr std::size_t kShortId = 12;
constexpr int kSignalBase = 128;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

/// None at all is no reason to refuse: the program may not need names.
std::string host_resolv_conf() {
  return read_file("/etc/resolv.conf").value_or(std::string());
}

ContainerExit exit_of(const sandbox::SandboxExit& ended) {
  if (ended.not_found || ended.not_executable) {
    return {.code = ended.not_found ? kNotFound : kNotExecutable, .start_error = ended.start_error};
  }
  const ExitStatus& status = ended.status;
  return {.code = status.signal != 0 ? kSignalBase + status.signal : status.code,
          .start_error = {}};
}

Result<ContainerExit> run_prepared(const sandbox::SandboxPlan& plan, const RunRequest& request,
                                   sandbox::Sandbox& sandbox, const Cancel& cancel) {
  const std::unique_ptr<Foreground> foreground =
      TRY(Foreground::start({.interactive = request.interactive, .terminal = request.terminal}));
  const sandbox::SandboxExit ended =
      TRY(sandbox.run(plan, foreground->take_stdio(), cancel, {}, foreground->signals()));
  foreground->finish();
  return exit_of(ended);
}

}  // namespace

Result<ContainerExit> run_container(const oci::ImageConfig& config, const RunRequest& request,
                                    const std::vector<std::string>& layer_dirs, ContainerDeps& deps,
                                    const Cancel& cancel) {
  const std::string id = TRY(new_container_id());
  RunRequest named = request;
  if (named.hostname.empty()) {
    named.hostname = id.substr(0, kShortId);
  }
  if (named.name.empty()) {
    named.name = id.substr(0, kShortId);
  }
  sandbox::SandboxPlan plan = TRY(make_container_plan(config, named));
  plan.resolv_conf = host_resolv_conf();
  const ContainerDir dir = TRY(ContainerDir::create(
      deps.containers_dir, {.id = id, .name = named.name, .image = named.image}));
  TRY(make_volume_sources(named.volumes));
  TRY(add_image_volumes(config, layer_dirs, join_path(dir.path(), "volumes"), plan));

  const std::string scratch = join_path(dir.path(), "fs");
  TRY(sys::mkdir_at(AT_FDCWD, scratch, 0700));
  const std::unique_ptr<snapshotter::Active> active =
      TRY(deps.snapshotter.prepare(layer_dirs, scratch));
  plan.root = active->root();
  return run_prepared(plan, named, deps.sandbox, cancel);
}

}  // namespace mybuild::run
