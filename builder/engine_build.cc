// SPDX-License-Identifier: Apache-2.0
// Engine::build, one named call per stage: read inputs, lower, solve, collect per platform, export.
#include "builder/engine_build.h"

#include "builder/build_session.h"
#include "builder/early_push.h"
#include "builder/engine.h"
#include "builder/engine_cache_server.h"
#include "builder/explain/history.h"
#include "builder/export/early_archive.h"
#include "builder/export/image_loader.h"
#include "builder/failure.h"
#include "builder/image_result.h"
#include "builder/internal_step.h"
#include "builder/known_build.h"
#include "builder/masked_events.h"
#include "builder/ops/trees.h"
#include "builder/output_needs.h"
#include "builder/remote_cache/cache_export.h"
#include "builder/stored_image.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/base/file.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <set>

namespace mybuild::builder {

using exporter::BuiltImage;

frontend::FrontendInput frontend_input(const BuildRequest& request, const BuildInputs& inputs) {
  frontend::FrontendInput input;
  input.file_name = inputs.file_name;
  input.text = inputs.text;
  input.target = request.target;
  input.build_args = request.build_args;
  input.build_platform = oci::host_platform();
  input.platforms = request.platforms;
  input.platforms_given = !request.platforms.empty();
  if (input.platforms.empty()) {
    input.platforms.push_back(input.build_platform);
  }
  input.labels = request.labels;
  input.context = inputs.context;
  input.contexts = inputs.contexts;
  input.no_cache = request.no_cache;
  input.no_cache_filter = request.no_cache_filter;
  input.network = request.network;
  input.extra_hosts = request.extra_hosts;
  input.shm_size = request.shm_size;
  input.ulimits = request.ulimits;
  if (const auto context = inputs.directories.find("context");
      context != inputs.directories.end()) {
    input.ignored = context->second.ignore;
  }
  return input;
}

namespace {

std::vector<solver::Edge> target_edges(const frontend::FrontendOutput& lowered) {
  std::vector<solver::Edge> edges;
  for (const frontend::Target& target : lowered.targets) {
    if (target.root) {
      edges.push_back(*target.root);
    }
  }
  return edges;
}

Result<std::vector<BuiltImage>> collect_images(const frontend::FrontendOutput& lowered,
                                               const solver::SolveResult& solved,
                                               std::optional<std::int64_t> epoch) {
  std::vector<BuiltImage> images;
  for (const frontend::Target& target : lowered.targets) {
    const ops::TreeResult* tree = nullptr;
    if (target.root) {
      tree = TRY(ops::as_tree(solved.vertices[target.root->vertex].output->result));
    }
    images.push_back(make_image(target, tree, epoch));
  }
  return images;
}

/// The result with all times that this build made at `epoch`, if there is one.
Result<exporter::BuildOutput> make_output(const BuildRequest& request,
                                          const frontend::FrontendOutput& lowered,
                                          const solver::SolveResult& solved,
                                          std::optional<std::int64_t> epoch) {
  exporter::BuildOutput output;
  output.images = TRY(collect_images(lowered, solved, epoch));
  output.names = request.names;
  output.source_date_epoch = epoch;
  output.multi_platform = request.platforms.size() > 1;
  return output;
}

/// The stacks of the results, each of which exists.
std::vector<const ops::TreeResult*> target_trees(const frontend::FrontendOutput& lowered,
                                                 const solver::SolveResult& solved) {
  std::vector<const ops::TreeResult*> trees;
  for (const solver::Edge edge : target_edges(lowered)) {
    const Result<const ops::TreeResult*> tree =
        ops::as_tree(solved.vertices[edge.vertex].output->result);
    if (tree && *tree != nullptr) {
      trees.push_back(*tree);
    }
  }
  return trees;
}

using LayerSpan = std::span<const snapshotter::Layer>;

LayerSpan above_base(const ops::TreeResult& tree) {
  return std::span(tree.layers).subspan(tree.base ? tree.base->layers : 0);
}

/// The base images and layers of imported caches whose bytes an exporter may need; they come from
/// different places, so all at once. `solved` and `session` outlive the answer.
exporter::LayerFetcher fetcher(const frontend::FrontendOutput& lowered,
                               const solver::SolveResult& solved, BuildSession& session,
                               Lanes& lanes) {
  using Trees = std::vector<const ops::TreeResult*>;
  const Trees trees = target_trees(lowered, solved);
  const auto fetch_all = [trees, &lanes](const std::function<Status(const ops::BaseImage&)>& base,
                                         const std::function<Status(LayerSpan)>& above) {
    return lanes.fan_out(Lane::Net, 2 * trees.size(), [&](std::size_t i) -> Status {
      const ops::TreeResult& tree = *trees[i / 2];
      if (i % 2 == 1) {
        return above(above_base(tree));
      }
      return tree.base ? base(*tree.base) : Status();
    });
  };
  source::ImageResolver& images = session.images();
  source::RemoteLayers* const remote = session.remote_layers();
  exporter::LayerFetcher fetch;
  fetch.trees = [fetch_all, &images, remote]() -> Status {
    return fetch_all(
        [&](const ops::BaseImage& base) { return images.fetch_trees(base.id, base.vertex); },
        [&](LayerSpan layers) {
          return remote == nullptr ? Status() : remote->fetch_trees(layers);
        });
  };
  fetch.blobs = [fetch_all, &images, remote]() -> Status {
    return fetch_all(
        [&](const ops::BaseImage& base) { return images.fetch_blobs(base.id, base.vertex); },
        [&](LayerSpan layers) {
          return remote == nullptr ? Status() : remote->fetch_blobs(layers);
        });
  };
  return fetch;
}

/// Vertices without a name are no steps to anybody.
void count_vertices(const solver::Graph& graph, const solver::SolveResult& solved,
                    BuildReport& report) {
  for (solver::VertexIndex i = 0; i < solved.vertices.size(); ++i) {
    const solver::VertexOutcome& outcome = solved.vertices[i];
    const bool is_done = outcome.output || outcome.cached;
    report.vertices += is_done && !graph.vertices()[i].meta.name.empty() ? 1 : 0;
    report.cached += outcome.cached ? 1 : 0;
  }
}

/// The user's docker or podman, which get what the local store has.
bool is_import(const exporter::OutputSpec& spec) {
  return spec.type == exporter::OutputType::Docker && spec.dest.empty();
}

std::vector<exporter::OutputSpec> outputs_of(const BuildRequest& request) {
  std::vector<exporter::OutputSpec> outputs;
  std::copy_if(request.outputs.begin(), request.outputs.end(), std::back_inserter(outputs),
               [](const exporter::OutputSpec& spec) { return !is_import(spec); });
  if (outputs.empty()) {
    outputs.emplace_back();
  }
  return outputs;
}

/// Who takes the image beside the local store; asked before anything is built.
Result<std::optional<exporter::ImageLoader>> loader_of(const BuildRequest& request,
                                                       const Cancel& cancel) {
  if (std::none_of(request.outputs.begin(), request.outputs.end(), is_import)) {
    return std::optional<exporter::ImageLoader>();
  }
  return exporter::find_image_loader(cancel);
}

Status import_image(const exporter::ImageLoader& loader, const exporter::ExportReport& stored,
                    Engine::Services& own, exporter::ExportDeps deps) {
  deps.fetch = {};  // all of it is in the store
  InternalStep step("importing to " + loader.program, deps.events, own.clock);
  exporter::SavedImage saved;
  saved.image = TRY(step.done(stored_image(*stored.config, own)));
  for (const std::string& name : stored.names) {
    saved.names.push_back(TRY(oci::Reference::parse(name)));
  }
  return step.done(exporter::load_image(saved, loader, deps, step.id()));
}

Status import_stored(const exporter::ImageLoader& loader,
                     const std::vector<exporter::OutputSpec>& outputs, const BuildReport& report,
                     Engine::Services& own, exporter::ExportDeps& deps) {
  for (std::size_t i = 0; i < std::min(outputs.size(), report.exports.size()); ++i) {
    if (outputs[i].type == exporter::OutputType::Image) {
      TRY(import_image(loader, report.exports[i], own, deps));
    }
  }
  return {};
}

bool wants_inline_cache(const BuildRequest& request) {
  return std::any_of(request.cache_to.begin(), request.cache_to.end(), [](const auto& target) {
    return target.type == remote_cache::CacheTarget::Type::Inline;
  });
}

exporter::ExpectedOutput expected_output(const BuildRequest& request,
                                         const frontend::FrontendOutput& lowered) {
  exporter::ExpectedOutput expected{.platforms = {},
                                    .multi_platform = request.platforms.size() > 1,
                                    .source_date_epoch = lowered.source_date_epoch,
                                    .inline_cache = wants_inline_cache(request)};
  for (const frontend::Target& target : lowered.targets) {
    expected.platforms.push_back(target.platform);
  }
  return expected;
}

/// Shown as a step of its own, as docker shows it, unless it consists of steps itself.
Result<BuildInputs> load_inputs(const BuildRequest& request, BuildSession& session,
                                solver::EventSink& events, const Clock& clock) {
  if (request.context != "-" && has_remote_inputs(request)) {
    return read_build_inputs(request, session);
  }
  const std::string shown =
      request.dockerfile.empty() ? "Dockerfile" : std::string(base_name(request.dockerfile));
  InternalStep step("[internal] load build definition from " + shown, events, clock);
  return step.done(read_build_inputs(request, session));
}

Result<frontend::FrontendOutput> lower(const BuildRequest& request, const BuildInputs& inputs,
                                       BuildSession& session, solver::EventSink& events) {
  frontend::checks::Linter linter;
  auto lowering = frontend::build_dockerfile(frontend_input(request, inputs), session, linter);
  for (const solver::Warning& warning : frontend::warnings_of(linter.findings())) {
    events.on_event(warning);
  }
  frontend::FrontendOutput lowered = TRY(std::move(lowering));
  for (const solver::Warning& warning : lowered.warnings) {
    events.on_event(warning);
  }
  return lowered;
}

}  // namespace

Result<BuildInputs> Engine::read_inputs(const BuildRequest& request, solver::EventSink& events,
                                        Cancel& cancel) {
  const auto session = TRY(BuildSession::start(*services_, request, events, cancel, cancel));
  return read_build_inputs(request, *session);
}

namespace {

/// How far a build came, for the history.
struct BuildTrace {
  std::string dockerfile;
  std::optional<frontend::FrontendOutput> lowered;
  std::vector<solver::Edge> targets;
  std::optional<solver::SolveResult> solved;
  std::set<std::size_t> bad_caches;  // known from an attempt before this one, or found now
};

/// What the parts of one attempt share.
struct Attempt {
  Engine::Services& own;
  const BuildRequest& request;
  solver::EventSink& events;
  BuildSession& session;
  BuildTrace& trace;
};

/// Imported layers that are exported with other times have to be here as files.
Status unpack_for(const exporter::OutputSpec& spec, const Attempt& attempt,
                  exporter::BuildOutput& output) {
  source::RemoteLayers* const remote = attempt.session.remote_layers();
  if (!spec.rewrite_timestamp || remote == nullptr) {
    return {};
  }
  const std::vector<frontend::Target>& targets = attempt.trace.lowered->targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].root) {
      continue;
    }
    const ops::TreeResult* tree =
        TRY(ops::as_tree(attempt.trace.solved->vertices[targets[i].root->vertex].output->result));
    const std::span<const snapshotter::Layer> layers = above_base(*tree);
    TRY(remote->fetch_trees(layers));
    std::vector<snapshotter::Layer>& exported = output.images[i].layers;
    for (std::size_t layer = exported.size() - layers.size(); layer < exported.size(); ++layer) {
      exported[layer].blob.reset();
    }
  }
  return {};
}

Result<BuildReport> export_results(const Attempt& attempt, exporter::ExportDeps& deps,
                                   const std::vector<exporter::OutputSpec>& outputs,
                                   const std::vector<remote_cache::ExportedStep>& steps,
                                   KnownBuild* known) {
  const frontend::FrontendOutput& lowered = *attempt.trace.lowered;
  const solver::SolveResult& solved = *attempt.trace.solved;
  BuildReport report;
  count_vertices(lowered.graph, solved, report);
  for (const exporter::OutputSpec& spec : outputs) {
    Engine::Services::LaxPush lax;
    exporter::ExportDeps spec_deps = deps;
    if (spec.insecure) {
      lax = attempt.own.lax_push(spec.names.empty() ? attempt.request.names : spec.names);
      spec_deps.push = lax.push.get();
      spec_deps.streams = nullptr;  // they go by the build's own way
      spec_deps.start = nullptr;
    }
    const std::unique_ptr<exporter::Exporter> exporter = exporter::make_exporter(spec, spec_deps);
    InternalStep step(exporter->title(), attempt.events, attempt.own.clock);
    const auto epoch = spec.source_date_epoch ? spec.source_date_epoch : lowered.source_date_epoch;
    exporter::BuildOutput output = TRY(make_output(attempt.request, lowered, solved, epoch));
    TRY(step.done(unpack_for(spec, attempt, output)));
    for (BuiltImage& image : output.images) {
      if (wants_inline_cache(attempt.request)) {
        image.config_extra = remote_cache::inline_cache(steps, image.layers);
      }
    }
    report.exports.push_back(TRY(step.done(exporter->write(output, step.id()))));
    if (!report.image_id) {
      report.image_id = report.exports.back().config;
    }
    if (known != nullptr && report.image_id) {
      TRY(known->remember(solved, output.images.front(), *report.image_id));
    }
  }
  return report;
}

Result<BuildReport> name_known_image(const Attempt& attempt, exporter::ExportDeps& deps,
                                     const exporter::OutputSpec& output, const KnownBuild& known) {
  BuildReport report;
  count_vertices(attempt.trace.lowered->graph, *attempt.trace.solved, report);
  InternalStep step("exporting to image", attempt.events, attempt.own.clock);
  report.exports.push_back(TRY(step.done(exporter::name_stored_image(
      *known.image(), output, attempt.request.names, deps, step.id()))));
  report.image_id = report.exports.back().config;
  return report;
}

/// What a cache of the images alone has.
std::vector<remote_cache::ExportedStep> steps_of_images(
    const frontend::FrontendOutput& lowered, const solver::SolveResult& solved,
    const std::vector<remote_cache::ExportedStep>& all) {
  std::vector<snapshotter::Layer> layers;
  for (const ops::TreeResult* tree : target_trees(lowered, solved)) {
    layers.insert(layers.end(), tree->layers.begin(), tree->layers.end());
  }
  return remote_cache::with_layers_in(all, layers);
}

/// Everything that is asked for: outputs, then caches.
Result<BuildReport> export_all(const Attempt& attempt, exporter::ExportDeps& deps,
                               const std::vector<exporter::OutputSpec>& outputs, KnownBuild* known,
                               remote_cache::CacheExport& caches) {
  const solver::SolveResult& solved = *attempt.trace.solved;
  deps.fetch = fetcher(*attempt.trace.lowered, solved, attempt.session, attempt.own.lanes);
  std::vector<remote_cache::ExportedStep> steps;
  if (!attempt.request.cache_to.empty()) {
    steps = TRY(remote_cache::steps_of(solved, *attempt.own.index));
  }
  BuildReport report = TRY(export_results(attempt, deps, outputs, steps, known));
  TRY(caches.finish(steps, steps_of_images(*attempt.trace.lowered, solved, steps)));
  return report;
}

Result<BuildReport> build_traced(Engine::Services& own, const BuildRequest& request,
                                 solver::EventSink& events, Cancel& cancel, Cancel& user,
                                 cache_client::CacheClient* server, BuildTrace& trace) {
  // solve() stops the steps when one fails; what is done with its files hears of the user only.
  Cancel steps(cancel);
  // A missing right is said before anything is downloaded.
  const auto session =
      TRY(BuildSession::start(own, request, events, wants_evidence(request) ? steps : cancel,
                              cancel, trace.bad_caches, server));
  BuildInputs inputs = TRY(load_inputs(request, *session, events, own.clock));
  trace.dockerfile = inputs.text;
  trace.lowered = TRY(lower(request, inputs, *session, events));
  const frontend::FrontendOutput& lowered = *trace.lowered;
  devices::DeviceSource devices(devices::default_cdi_directories(), request.allowed.devices);
  TRY(check_entitlements(lowered.graph, request.allowed, devices));
  const std::vector<exporter::OutputSpec> outputs = outputs_of(request);
  TRY(exporter::check_outputs(outputs, expected_output(request, lowered), events));
  const std::optional<exporter::ImageLoader> loader = TRY(loader_of(request, cancel));

  exporter::LayerStreams streams(own.lanes, *own.push, cancel);
  exporter::EarlyArchives archives(outputs, own.lanes);
  exporter::ExportDeps export_deps = own.export_deps(events, cancel);
  const auto start = start_pushes(outputs, request.names, export_deps, user);
  export_deps.streams = &streams;
  export_deps.archives = &archives;
  export_deps.start = start.get();
  ops::OpDeps op_deps = session->op_deps(inputs, devices);
  ops::FailedSteps failed_steps;
  op_deps.failed = wants_evidence(request) ? &failed_steps : nullptr;
  trace.targets = target_edges(lowered);
  OutputNeeds needs = output_needs(lowered.graph, trace.targets, outputs);
  op_deps.wanted_blobs = std::move(needs.blobs);
  op_deps.wanted_blobs.on_draft = archives.on_draft();
  op_deps.wanted_blobs.on_last_draft = early_push(outputs, request.names, streams);
  if (start != nullptr) {
    op_deps.wanted_blobs.on_small = [&start] { start->expect_layer(); };
  }
  ops::BasePrefetch prefetch(session->images(), own.lanes, std::move(needs.bases),
                             std::move(needs.of_bases));
  op_deps.prefetch = wants_evidence(request) ? nullptr : &prefetch;
  const remote_cache::Vouched vouched = session->vouched();
  const std::unique_ptr<KnownBuild> known = KnownBuild::of(
      request, lowered, {.content = *own.content, .layers = *own.layers, .metadata = *own.metadata},
      vouched.domain);
  remote_cache::CacheExport caches(request.cache_to, export_deps, session->remote_layers());
  session->on_record([&caches, server](const solver::CacheRecord& record) {
    caches.begin(record);
    if (server != nullptr) {
      server->on_record(record);
    }
  });
  trace.solved = session->solve(lowered.graph, op_deps, trace.targets, known.get());
  const solver::SolveResult& solved = *trace.solved;
  const Attempt attempt{
      .own = own, .request = request, .events = events, .session = *session, .trace = trace};
  Result<BuildReport> result = internal_error("nothing was built");
  if (solved.failure) {
    result = wants_evidence(request) ? handle_failure({.request = request,
                                                       .outputs = outputs,
                                                       .lowered = lowered,
                                                       .solved = solved,
                                                       .op_deps = op_deps},
                                                      export_deps)
                                     : *solved.failure;
  } else if (solved.is_known_build) {
    result = name_known_image(attempt, export_deps, outputs.front(), *known);
  } else {
    result = export_all(attempt, export_deps, outputs, known.get(), caches);
  }
  trace.bad_caches = session->bad_caches();
  TRY(remote_cache::keep_proven(solved, *own.metadata, *own.layers, *own.index, vouched));
  if (result && loader) {
    TRY(import_stored(*loader, outputs, *result, own, export_deps));
  }
  return result;
}

/// The same directory is the same context, whatever it was called. URLs without passwords.
std::string shown_place(const std::string& place) {
  char real[PATH_MAX];
  return ::realpath(place.c_str(), real) != nullptr ? std::string(real)
                                                    : frontend::shown_url(place);
}

explain::Subject subject_of(const BuildRequest& request) {
  explain::Subject subject{.dockerfile = request.dockerfile.empty()
                                             ? std::string("Dockerfile")
                                             : shown_place(request.dockerfile),
                           .context = shown_place(request.context),
                           .target = request.target,
                           .platforms = {}};
  for (const oci::Platform& platform : request.platforms) {
    subject.platforms.push_back(oci::to_string(platform));
  }
  return subject;
}

void remember(explain::History& history, const BuildRequest& request, Time started,
              const BuildTrace& trace, const Result<BuildReport>& result) {
  explain::FinishedBuild build;
  build.subject = subject_of(request);
  build.started = started;
  build.dockerfile = trace.dockerfile;
  build.error = result ? std::string() : result.error().message();
  build.image = result && result->image_id ? result->image_id->str() : std::string();
  if (!trace.solved) {
    history.add(build);
    return;
  }
  const explain::Observed observed{
      .graph = trace.lowered->graph, .targets = trace.targets, .solved = *trace.solved};
  build.observed = &observed;
  history.add(build);
}

/// Damage is found when something is needed, in the middle of a build. What was damaged is gone
/// then, so the same build makes it again.
constexpr int kMostRepairs = 3;

bool made_something(const BuildTrace& trace) {
  return trace.solved && std::any_of(trace.solved->vertices.begin(), trace.solved->vertices.end(),
                                     [](const solver::VertexOutcome& outcome) {
                                       return outcome.output && !outcome.cached;
                                     });
}

/// Trees of builds before this one are on the disk by now, as a rule, and it costs little to be
/// sure.
constexpr std::int64_t kSyncAfterSeconds = 600;

/// Who stopped a build wants his terminal back.
bool was_stopped(const Result<BuildReport>& result) {
  return !result && result.error().kind() == ErrorKind::Cancelled;
}

Result<BuildReport> build_until_whole(Engine::Services& own, const BuildRequest& request,
                                      const secrets::KnownValues& known, solver::EventSink& events,
                                      Cancel& cancel) {
  const auto damage = [&own] { return own.layers->damage_found() + own.content->damage_found(); };
  const Time started = own.clock.now();
  const auto server = TRY(start_cache_client(own, request, known, events, cancel));
  std::set<std::size_t> bad_caches;
  for (int repairs = 0;; ++repairs) {
    const std::size_t before = damage();
    Cancel attempt(cancel);
    BuildTrace trace;
    trace.bad_caches = bad_caches;
    Result<BuildReport> result =
        build_traced(own, request, events, attempt, cancel, server.get(), trace);
    const bool is_cache_dropped = trace.bad_caches.size() > bad_caches.size();
    bad_caches = trace.bad_caches;
    if (!result && damage() > before && repairs < kMostRepairs && cancel.check()) {
      events.on_event(solver::Warning{
          .message = "a damaged part of the store was found and removed; building again",
          .detail = result.error().message(),
          .location = {}});
      continue;
    }
    // A step that was taken for cached is run after all; each time there is one cache less.
    if (!result && is_cache_dropped && cancel.check()) {
      continue;
    }
    finish_cache_client(server.get(), own, events);
    remember(*own.history, request, started, trace, result);
    if (made_something(trace)) {
      (void)own.layers->sync(kSyncAfterSeconds);
      if (!was_stopped(result)) {
        own.collect_after_build(events);
      }
    }
    return result;
  }
}

}  // namespace

Result<BuildReport> Engine::build(const BuildRequest& request, solver::EventSink& events,
                                  Cancel& cancel) {
  TRY(services_->check_gc_settings());
  secrets::KnownValues known;
  MaskedEvents masked_events(events, known);
  if (request.secrets == nullptr) {
    return build_until_whole(*services_, request, known, masked_events, cancel);
  }
  BuildRequest noted = request;
  noted.secrets = secrets::note_values(*request.secrets, known);
  for (const std::string& id : noted.secrets->ids_at_hand()) {
    // Names of steps are shown before a step wants one. What cannot be read fails then.
    (void)noted.secrets->get(id, cancel);
  }
  Result<BuildReport> report = build_until_whole(*services_, noted, known, masked_events, cancel);
  return report ? std::move(report) : Result<BuildReport>(masked(report.error(), known));
}

}  // namespace mybuild::builder
