// SPDX-License-Identifier: Apache-2.0
// An Engine that only plays: --target names what happens (fail, hang, stubborn). The program linked
// to it has the real verbs, flags, progress and signals, so that these can be tested without a
// store or a sandbox.
#include "builder/call.h"
#include "builder/engine.h"
#include "builder/login.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

namespace mybuild::builder {

/// Containers, volumes and cache mounts as of a state directory where nothing ever ran.
struct Engine::Services {
  SystemClock clock;
  std::unique_ptr<run::VolumeStore> volumes =
      run::make_volume_store("/nonexistent/volumes", "/nonexistent/trash", clock);
  std::unique_ptr<run::ContainerStore> containers = run::make_container_store(
      {.dir = "/nonexistent/containers", .trash_dir = "/nonexistent/trash"}, *volumes, clock);
  caches::CacheStore cache_mounts{"/nonexistent/cache-mounts", "/nonexistent/trash", clock};
  manifest_list::ListStore manifest_lists{"/nonexistent/manifest-lists"};
};

namespace {

using namespace std::chrono_literals;

const solver::VertexId kStep{Digest::of("step")};

Time now() {
  return SystemClock().now();
}

Result<BuildReport> fail(solver::EventSink& events) {
  events.on_event(solver::LogChunk{
      .vertex = kStep, .stream = 2, .bytes = "its \x1b[31moutput\n", .time = now()});
  Error error = Error(ErrorKind::ProcessFailed,
                      "process \"/bin/sh -c false\" did not complete successfully: exit code: 1")
                    .with_exit_code(1)
                    .at({.file = "Dockerfile",
                         .first_line = 2,
                         .last_line = 2,
                         .excerpt = "   1 |     FROM scratch\n   2 | >>> RUN false\n"});
  events.on_event(solver::VertexDone{.vertex = kStep, .time = now(), .error = error});
  return error;
}

Result<BuildReport> hang(solver::EventSink& events, const Cancel& cancel, bool stubborn) {
  while (stubborn || !TRY(sys::poll_readable(cancel.fd(), 10s))) {
    std::this_thread::sleep_for(stubborn ? 10s : 0s);
  }
  const Error reason = cancel.check().error();
  events.on_event(solver::VertexDone{.vertex = kStep, .time = now(), .error = reason});
  return reason;
}

}  // namespace

std::string default_root() {
  return "/nonexistent";
}

Engine::Engine(std::unique_ptr<Services> services) : services_(std::move(services)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions) {
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Services>()));
}

Result<std::string> registry_of(const std::string& argument) {
  return argument;
}
Result<LoginReport> login(const LoginRequest&, const Cancel&) {
  return unsupported("fake");
}
Result<std::optional<std::string>> login_again(const LoginRequest&, const Cancel&) {
  return unsupported("fake");
}
std::optional<std::string> stored_user(const std::string&, const Cancel&) {
  return std::nullopt;
}
Result<bool> logout(const std::string&, const Cancel&) {
  return unsupported("fake");
}
Result<CallAnswer> answer_call(Call call, const BuildRequest& request, const EngineOptions&,
                               solver::EventSink&, Cancel&) {
  using namespace frontend::checks;
  if (request.target == "unreadable") {
    return not_found("failed to read dockerfile");
  }
  if (call == Call::Targets) {
    return CallAnswer(
        TargetList{.targets = {{.name = "base"}, {.is_default = true}}, .source = {}});
  }
  CheckReport report{.source = {.file = "Dockerfile", .path = {}, .text = {}},
                     .findings = {},
                     .unknown = {},
                     .error = {}};
  if (request.target == "found") {
    report.findings.push_back({Rule::FromAsCasing, "detail", {"Dockerfile", 1, 1, {}}, false});
  } else if (request.target == "broken") {
    report.error = invalid_argument("it is broken");
  } else if (request.target == "offline") {
    report.unknown = {"busybox"};
  }
  return CallAnswer(std::move(report));
}

Result<BuildReport> Engine::build(const BuildRequest& request, solver::EventSink& events,
                                  Cancel& cancel) {
  events.on_event(solver::VertexStarted{.vertex = kStep, .name = "[2/2] RUN false", .time = now()});
  events.on_event(solver::Warning{.message = "JSONArgs: a warning", .detail = "d", .location = {}});
  if (request.target == "fail") {
    return fail(events);
  }
  if (request.target == "hang" || request.target == "stubborn") {
    return hang(events, cancel, request.target == "stubborn");
  }
  if (request.target == "throw") {
    throw std::runtime_error("a bug");
  }
  events.on_event(solver::VertexDone{.vertex = kStep, .time = now(), .error = {}});
  BuildReport report;
  report.image_id = Digest::of("image");
  report.vertices = 1;
  return report;
}

Result<snapshotter::ImageRow> Engine::provide_image(const std::string& name_or_id, PullPolicy,
                                                    const std::optional<oci::Platform>&,
                                                    solver::EventSink& events, const Cancel&) {
  if (name_or_id == "absent") {
    return not_found("no such image: absent");
  }
  events.on_event(solver::VertexStarted{.vertex = kStep, .name = "pulling", .time = now()});
  events.on_event(solver::VertexDone{.vertex = kStep, .time = now(), .error = {}});
  return snapshotter::ImageRow{};
}

Result<run::ContainerExit> Engine::run(const snapshotter::ImageRow&, const run::RunRequest& request,
                                       const Cancel&) {
  if (request.image == "no-program") {
    return run::ContainerExit{
        .code = 127, .start_error = "exec: \"x\": not found", .hint = {}, .warning = {}};
  }
  return run::ContainerExit{
      .code = static_cast<int>(request.args.size()), .start_error = {}, .hint = {}, .warning = {}};
}

Result<run::ContainerExit> Engine::start(const std::string& name, bool interactive, const Cancel&) {
  return name == "box"
             ? Result(run::ContainerExit{
                   .code = interactive ? 4 : 5, .start_error = {}, .hint = {}, .warning = {}})
             : not_found("no such container: {}", name);
}

run::ContainerStore& Engine::containers() {
  return *services_->containers;
}
run::VolumeStore& Engine::volumes() {
  return *services_->volumes;
}

const caches::CacheStore& Engine::cache_mounts() {
  return services_->cache_mounts;
}

Status Engine::export_cache_mounts(const std::vector<std::string>& names, const std::string&,
                                   solver::EventSink&, const Cancel&) {
  TRY(cache_mounts().find(names.front()));
  return {};
}

Result<std::vector<caches::Cache>> Engine::import_cache_mounts(const std::string&,
                                                               const std::optional<std::string>&,
                                                               solver::EventSink&, const Cancel&) {
  return std::vector<caches::Cache>();
}

Result<std::vector<snapshotter::ImageRow>> Engine::images() {
  return std::vector{snapshotter::ImageRow{
      .name = "docker.io/library/a:1", .config = Digest::of("a"), .created = 1, .size = 5}};
}

Result<snapshotter::ImageRow> Engine::find_image(const std::string& name_or_id,
                                                 const std::optional<oci::Platform>&) {
  auto rows = TRY(images());
  return name_or_id == "a:1" ? Result<snapshotter::ImageRow>(rows[0])
                             : not_found("no such image: {}", name_or_id);
}

Result<std::string> Engine::image_config(const Digest&) {
  return std::string(R"({"os":"linux"})");
}

Result<std::vector<std::string>> Engine::remove_image(const std::string& name_or_id, bool) {
  TRY(find_image(name_or_id));
  return std::vector<std::string>{"Untagged: " + name_or_id};
}

Status Engine::tag_image(const std::string& source, const oci::Reference&) {
  TRY(find_image(source));
  return {};
}

Result<std::vector<snapshotter::Layer>> Engine::image_layers(const Digest&) {
  return std::vector<snapshotter::Layer>();
}

Result<std::vector<std::string>> Engine::repo_digests(const Digest&) {
  return std::vector<std::string>();
}

Result<space::Collected> Engine::prune(const space::Rule& rule,
                                       const space::OnRemoved& on_removed) {
  if (rule.all) {
    return make_error(ErrorKind::Unavailable, "somebody else is removing things");
  }
  const space::Item item{.place = space::Place::Tree,
                         .type = space::ItemType::Regular,
                         .id = std::string(64, 'a'),
                         .size = 5};
  on_removed(item);
  return space::Collected{.removed = {item}, .bytes = 5};
}

Result<ContainerSize> Engine::container_size(const run::Container&) {
  return ContainerSize();
}

ContainerRoot Engine::container_root(const run::Container&) {
  return {};
}

Result<explain::Explanation> Engine::explain(const std::string& build) {
  if (!build.empty()) {
    return not_found("no such build: {}", build);
  }
  explain::Explanation explanation;
  explanation.build.id = "b1";
  return explanation;
}

Result<std::vector<explain::BuildSummary>> Engine::builds() {
  return std::vector<explain::BuildSummary>(1);
}

Status Engine::publish_left(solver::EventSink&, Cancel&) {
  return {};
}

Result<StoreUsage> Engine::usage() {
  return StoreUsage();
}

Result<FsckReport> Engine::fsck(bool repair, solver::EventSink& events, const Cancel& cancel) {
  (void)events;
  (void)cancel;
  FsckReport report{.images = 1, .containers = 0, .layers = 2, .layer_bytes = 3000, .blobs = 4};
  report.blob_bytes = 5;
  report.records = 6;
  report.damage.push_back({.type = "blob",
                           .id = "sha256:aa",
                           .problem = "bad",
                           .can_be_repaired = true,
                           .repaired = repair});
  return report;
}

Result<PullReport> Engine::pull(const PullRequest& request, solver::EventSink& events,
                                const Cancel& cancel) {
  events.on_event(solver::VertexStarted{.vertex = kStep, .name = "pulling", .time = now()});
  if (request.name.tag == "hang") {
    return hang(events, cancel, false).error();
  }
  return PullReport{.digest = Digest::of("m"),
                    .image_id = Digest::of("a"),
                    .changed = true,
                    .name = request.name};
}

Status Engine::pull_all(const PullRequest& request,
                        const std::function<Status(const PullReport&)>& on_pulled,
                        solver::EventSink& events, const Cancel& cancel) {
  for (const char* tag : {"1", "2"}) {
    PullRequest one = request;
    one.name.tag = tag;
    TRY(on_pulled(TRY(pull(one, events, cancel))));
  }
  return {};
}

Result<std::vector<oci::Reference>> Engine::local_tags(const oci::Reference& repository) {
  if (repository.repository == "library/none") {
    return std::vector<oci::Reference>();
  }
  std::vector names{repository, repository};
  names[0].tag = "1";
  names[1].tag = "2";
  return names;
}

Result<PushReport> Engine::push(const oci::Reference&, solver::EventSink&, Cancel&) {
  PushReport report;
  report.manifest.digest = Digest::of("m");
  report.manifest.size = 7;
  return report;
}

Result<std::vector<LoadedName>> Engine::load(const std::string&, solver::EventSink&, Cancel&) {
  return std::vector<LoadedName>{{.image_id = Digest::of("a"), .names = {}}};
}

Status Engine::save(const std::vector<std::string>& names, const std::string&, solver::EventSink&,
                    Cancel&) {
  TRY(find_image(names.front()));
  return {};
}

const manifest_list::ListStore& Engine::manifest_lists() {
  return services_->manifest_lists;
}

Status Engine::create_manifest_list(const oci::Reference& name, const std::vector<oci::Reference>&,
                                    bool amend, const Cancel&) {
  return amend ? Status() : invalid_argument("{} is there", name.familiar());
}

Result<std::string> Engine::inspect_manifest(const ManifestQuestion& question, const Cancel&) {
  return question.verbose ? Result<std::string>("[]\n") : not_found("no such manifest");
}

Result<manifest_list::PushedList> Engine::push_manifest_list(const oci::Reference&,
                                                             solver::EventSink&, Cancel&) {
  return manifest_list::PushedList{.digest = Digest::of("list"), .brought = {Digest::of("image")}};
}

}  // namespace mybuild::builder
