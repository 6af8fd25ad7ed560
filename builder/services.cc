// SPDX-License-Identifier: Apache-2.0
#include "builder/services.h"

#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"

#include <unistd.h>

namespace mybuild::builder {

namespace {

/// The probe mounts, so it needs a mount namespace, so it needs a process with one thread: the
/// sandbox helper.
Result<std::string> try_overlay(const std::string& helper, const std::string& directory) {
  Pipe errors = TRY(sys::pipe());
  Child::Options options;
  options.argv = {helper, "probe", "overlay", directory};
  options.fds = {{errors.write_end.get(), 2}};
  Child child = TRY(Child::spawn(options));
  errors.write_end.reset();
  std::string reason = TRY(sys::read_to_end(errors.read_end.get()));
  const ExitStatus status = TRY(child.wait());
  if (status.success()) {
    return std::string();
  }
  while (reason.ends_with('\n')) {
    reason.pop_back();
  }
  if (reason.empty()) {  // killed: it has found out nothing, and its answer would be remembered
    return make_error(ErrorKind::Unavailable, "{} was ended by signal {} while it tried overlayfs",
                      helper, status.signal);
  }
  return reason;
}

}  // namespace

exporter::ExportDeps Engine::Services::export_deps(solver::EventSink& events,
                                                   const Cancel& cancel) {
  return {.content = *content,
          .layers = *layers,
          .metadata = *metadata,
          .lanes = lanes,
          .events = events,
          .cancel = cancel,
          .clock = clock,
          .push = push.get(),
          .fetch = {}};
}

Engine::Services::LaxPush Engine::Services::lax_push(const std::vector<oci::Reference>& targets) {
  std::vector<std::string> insecure = insecure_registries;
  for (const oci::Reference& target : targets) {
    insecure.push_back(target.domain);
  }
  LaxPush lax;
  lax.hosts = registry::make_host_table(registry::HostPlaces::from_environment(insecure));
  lax.push = registry::make_registry_push(
      *transport, {.hosts = lax.hosts.get(), .credentials = credentials.get()});
  return lax;
}

std::unique_ptr<source::ImageResolver> Engine::Services::image_resolver(bool pull,
                                                                        solver::EventSink& events,
                                                                        const Cancel& cancel) {
  return source::make_image_resolver({.registry = *registry,
                                      .content = *content,
                                      .layers = *layers,
                                      .metadata = *metadata,
                                      .lanes = lanes,
                                      .events = events,
                                      .cancel = cancel,
                                      .clock = clock,
                                      .pull = pull,
                                      .claims = &claims});
}

std::unique_ptr<source::HttpSources> Engine::Services::http_sources(
    solver::EventSink& events, secrets::SecretSource* secrets) {
  return source::make_http_sources({.transport = *transport,
                                    .content = *content,
                                    .metadata = *metadata,
                                    .events = events,
                                    .clock = clock,
                                    .secrets = secrets,
                                    .claims = &claims});
}

std::unique_ptr<source::GitSources> Engine::Services::git_sources(solver::EventSink& events,
                                                                  secrets::SecretSource* secrets,
                                                                  secrets::AgentSource* agents) {
  // All helper programs are installed in one place.
  const std::string directory = helper.substr(0, helper.rfind('/') + 1);
  return source::make_git_sources({.root = root,
                                   .helper = directory + "mybuild-git",
                                   .layers = *layers,
                                   .metadata = *metadata,
                                   .events = events,
                                   .clock = clock,
                                   .secrets = secrets,
                                   .agents = agents,
                                   .claims = &claims});
}

Result<snapshotter::Snapshotter*> Engine::Services::get_snapshotter() {
  if (::geteuid() != 0) {
    return Error(ErrorKind::Denied,
                 "building and running need root: the owners of an image's files, mounts and "
                 "namespaces")
        .with_hint(
            "use sudo; in a container: --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined; rootless builds are not supported yet");
  }
  const std::lock_guard lock(snapshotter_mutex);
  if (snapshotter == nullptr) {
    snapshotter = TRY(snapshotter::choose_snapshotter(
        root, [this](const std::string& directory) { return try_overlay(helper, directory); }));
  }
  return snapshotter.get();
}

}  // namespace mybuild::builder
