// SPDX-License-Identifier: Apache-2.0
// Engine::build, one named call per stage: read inputs, lower, solve, collect per platform, export.
#include "builder/engine_build.h"

#include "builder/build_session.h"
#include "builder/engine.h"
#include "builder/explain/history.h"
#include "builder/failure.h"
#include "builder/image_result.h"
#include "builder/internal_step.h"
#include "builder/known_build.h"
#include "builder/ops/trees.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/base/file.h"

#include <algorithm>
#include <climits>
#include <cstdlib>

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

/// The base images whose bytes an exporter may need.
exporter::LayerFetcher fetcher(const frontend::FrontendOutput& lowered,
                               const solver::SolveResult& solved, source::ImageResolver& images) {
  std::vector<ops::BaseImage> bases;
  for (const solver::Edge edge : target_edges(lowered)) {
    const Result<const ops::TreeResult*> tree =
        ops::as_tree(solved.vertices[edge.vertex].output->result);
    if (tree && *tree != nullptr && (*tree)->base) {
      bases.push_back(*(*tree)->base);
    }
  }
  const auto each = [bases](auto fetch) {
    return [bases, fetch]() -> Status {
      for (const ops::BaseImage& base : bases) {
        TRY(fetch(base));
      }
      return {};
    };
  };
  return exporter::LayerFetcher{.trees = each([&images](const ops::BaseImage& base) {
                                  return images.fetch_trees(base.id, base.vertex);
                                }),
                                .blobs = each([&images](const ops::BaseImage& base) {
                                  return images.fetch_blobs(base.id, base.vertex);
                                })};
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

std::vector<exporter::OutputSpec> outputs_of(const BuildRequest& request) {
  if (request.outputs.empty()) {
    return {exporter::OutputSpec{}};
  }
  return request.outputs;
}

exporter::ExpectedOutput expected_output(const BuildRequest& request,
                                         const frontend::FrontendOutput& lowered) {
  exporter::ExpectedOutput expected{.platforms = {},
                                    .multi_platform = request.platforms.size() > 1,
                                    .source_date_epoch = lowered.source_date_epoch};
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
};

Result<BuildReport> build_traced(Engine::Services& own, const BuildRequest& request,
                                 solver::EventSink& events, Cancel& cancel, BuildTrace& trace) {
  // solve() stops the steps when one fails; what is done with its files hears of the user only.
  Cancel steps(cancel);
  // A missing right is said before anything is downloaded.
  const auto session = TRY(
      BuildSession::start(own, request, events, wants_evidence(request) ? steps : cancel, cancel));
  BuildInputs inputs = TRY(load_inputs(request, *session, events, own.clock));
  trace.dockerfile = inputs.text;
  trace.lowered = TRY(lower(request, inputs, *session, events));
  const frontend::FrontendOutput& lowered = *trace.lowered;
  devices::DeviceSource devices(devices::default_cdi_directories(), request.allowed.devices);
  TRY(check_entitlements(lowered.graph, request.allowed, devices));
  const std::vector<exporter::OutputSpec> outputs = outputs_of(request);
  TRY(exporter::check_outputs(outputs, expected_output(request, lowered), events));

  ops::OpDeps op_deps = session->op_deps(inputs, devices);
  ops::FailedSteps failed_steps;
  op_deps.failed = wants_evidence(request) ? &failed_steps : nullptr;
  trace.targets = target_edges(lowered);
  const std::unique_ptr<KnownBuild> known =
      KnownBuild::of(request, lowered,
                     {.content = *own.content, .layers = *own.layers, .metadata = *own.metadata});
  trace.solved = session->solve(lowered.graph, op_deps, trace.targets, known.get());
  const solver::SolveResult& solved = *trace.solved;
  exporter::ExportDeps export_deps = own.export_deps(events, cancel);
  if (solved.failure) {
    return wants_evidence(request) ? handle_failure({.request = request,
                                                     .outputs = outputs,
                                                     .lowered = lowered,
                                                     .solved = solved,
                                                     .op_deps = op_deps},
                                                    export_deps)
                                   : *solved.failure;
  }

  BuildReport report;
  count_vertices(lowered.graph, solved, report);
  if (solved.is_known_build) {
    InternalStep step("exporting to image", events, own.clock);
    report.exports.push_back(TRY(step.done(exporter::name_stored_image(
        *known->image(), outputs.front(), request.names, export_deps, step.id()))));
    report.image_id = report.exports.back().config;
    return report;
  }
  export_deps.fetch = fetcher(lowered, solved, session->images());
  for (const exporter::OutputSpec& spec : outputs) {
    const std::unique_ptr<exporter::Exporter> exporter = exporter::make_exporter(spec, export_deps);
    InternalStep step(exporter->title(), events, own.clock);
    const auto epoch = spec.source_date_epoch ? spec.source_date_epoch : lowered.source_date_epoch;
    const exporter::BuildOutput output = TRY(make_output(request, lowered, solved, epoch));
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

}  // namespace

Result<BuildReport> Engine::build(const BuildRequest& request, solver::EventSink& events,
                                  Cancel& cancel) {
  Services& own = *services_;
  TRY(own.check_gc_settings());
  const auto damage = [&own] { return own.layers->damage_found() + own.content->damage_found(); };
  const Time started = own.clock.now();
  for (int repairs = 0;; ++repairs) {
    const std::size_t before = damage();
    Cancel attempt(cancel);
    BuildTrace trace;
    Result<BuildReport> result = build_traced(own, request, events, attempt, trace);
    if (!result && damage() > before && repairs < kMostRepairs && cancel.check()) {
      events.on_event(solver::Warning{
          .message = "a damaged part of the store was found and removed; building again",
          .detail = result.error().message(),
          .location = {}});
      continue;
    }
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

}  // namespace mybuild::builder
