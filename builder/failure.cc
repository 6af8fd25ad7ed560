// SPDX-License-Identifier: Apache-2.0
#include "builder/failure.h"

#include "builder/image_result.h"
#include "builder/internal_step.h"
#include "builder/ops/exec_op.h"
#include "builder/ops/trees.h"
#include "builder/run/foreground.h"

#include <unistd.h>

#include <algorithm>
#include <span>

namespace mybuild::builder {

namespace {

constexpr std::size_t kShortId = 12;
constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What there is to look at.
struct Evidence {
  const solver::Vertex* vertex = nullptr;
  std::vector<solver::ResultPtr> inputs;  // of the vertex
  solver::ResultPtr files;                // null: an empty tree
  bool is_before = false;                 // as they were before the step
};

using Vertices = std::span<const solver::Vertex>;

/// The vertex whose result a step goes on from; nullopt when it begins with nothing. The files of a
/// COPY --link lie apart, and are put on what the merge of them stands on.
std::optional<solver::Edge> base_of(Vertices vertices, solver::VertexIndex index) {
  const solver::Vertex& vertex = vertices[index];
  const auto* exec = std::get_if<solver::ExecOp>(&vertex.op);
  const auto* file = std::get_if<solver::FileOp>(&vertex.op);
  if ((exec != nullptr && exec->has_root) || (file != nullptr && file->has_base)) {
    return vertex.inputs.at(0);
  }
  for (const solver::Vertex& merge : vertices) {
    const auto& inputs = merge.inputs;
    const bool stands_on =
        std::holds_alternative<solver::MergeOp>(merge.op) &&
        std::find(inputs.begin() + 1, inputs.end(), solver::Edge{index}) != inputs.end();
    if (file != nullptr && stands_on) {
      return inputs.at(0);
    }
  }
  return std::nullopt;
}

Result<Evidence> find_evidence(const FailedBuild& build) {
  const Vertices vertices = build.lowered.graph.vertices();
  const std::optional<solver::VertexIndex> index = build.solved.failed_vertex;
  if (!index || std::holds_alternative<solver::SourceOp>(vertices[*index].op)) {
    return not_found("what failed is no step, so it has left no files");
  }
  Evidence evidence;
  evidence.vertex = &vertices[*index];
  for (const solver::Edge input : evidence.vertex->inputs) {
    const auto& output = build.solved.vertices[input.vertex].output;
    evidence.inputs.push_back(output ? output->result : nullptr);
  }
  evidence.files = build.op_deps.failed->find(evidence.vertex->id);
  if (evidence.files == nullptr) {
    evidence.is_before = true;
    if (const std::optional<solver::Edge> base = base_of(vertices, *index)) {
      const auto& output = build.solved.vertices[base->vertex].output;
      if (!output) {
        return not_found("the files before the failed step were not there yet");
      }
      evidence.files = output->result;
    }
  }
  return evidence;
}

/// A failed RUN says how it ran; of other steps the target's config is the nearest there is.
oci::ImageConfig config_of(const Evidence& evidence, const frontend::FrontendOutput& lowered) {
  oci::ImageConfig config;
  config.platform = evidence.vertex->platform;
  config.cmd = std::vector<std::string>{"/bin/sh"};
  if (const auto* exec = std::get_if<solver::ExecOp>(&evidence.vertex->op)) {
    config.env = exec->env;
    config.working_dir = exec->cwd;
    config.user = exec->user;
    config.cmd = std::vector<std::string>{ops::shell_of(*exec)};
    return config;
  }
  for (const frontend::Target& target : lowered.targets) {
    if (target.platform == config.platform) {
      config.env = target.config.env;
      config.working_dir = target.config.working_dir;
    }
  }
  if (!config.find_env("PATH")) {
    config.env.emplace_back(kDefaultPath);
  }
  return config;
}

Result<exporter::BuildOutput> output_of(const Evidence& evidence,
                                        const frontend::FrontendOutput& lowered) {
  const ops::TreeResult* tree = TRY(ops::as_tree(evidence.files));
  const frontend::Target target{.platform = evidence.vertex->platform,
                                .root = {},
                                .config = config_of(evidence, lowered),
                                .base_layers = 0};
  exporter::BuildOutput output;
  output.images.push_back(make_image(target, tree, std::nullopt));
  auto& history = output.images.front().config.history;
  if (!evidence.is_before && !history.empty()) {
    history.back().created_by = evidence.vertex->meta.name;
    history.back().comment = "this step failed";
  }
  output.source_date_epoch = lowered.source_date_epoch;
  return output;
}

std::string whose(const Evidence& evidence) {
  return evidence.is_before ? "the files before the failed step" : "the failed step's files";
}

Result<std::string> keep(const Evidence& evidence, const exporter::BuildOutput& output,
                         exporter::ExportDeps& deps) {
  InternalStep step("keeping " + whose(evidence), deps.events, deps.clock);
  const exporter::ExportReport report =
      TRY(step.done(exporter::make_exporter({}, deps)->write(output, step.id())));
  const std::string id = report.config.value_or(Digest()).hex();
  return fmt::format("{} are image sha256:{}; look with `mybuild run --rm -it {} {}`",
                     whose(evidence), id, id.substr(0, kShortId),
                     output.images.front().config.cmd->front());
}

Result<std::string> export_files(const Evidence& evidence, const exporter::BuildOutput& output,
                                 const std::vector<exporter::OutputSpec>& specs,
                                 exporter::ExportDeps& deps) {
  for (const exporter::OutputSpec& spec : specs) {
    const auto exporter = exporter::make_exporter(spec, deps);
    InternalStep step(fmt::format("{} ({})", exporter->title(), whose(evidence)), deps.events,
                      deps.clock);
    TRY(step.done(exporter->write(output, step.id())));
  }
  return fmt::format("the outputs have {}", whose(evidence));
}

/// With a terminal of its own, in raw mode on our side.
Status run_shell(const Evidence& evidence, const ops::OpDeps& deps, const Cancel& cancel) {
  run::ForegroundOptions options;
  options.interactive = true;
  options.terminal = true;
  options.out = ::isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : STDOUT_FILENO;
  const auto foreground = TRY(run::Foreground::start(options));
  const sandbox::SandboxExit ended =
      TRY(ops::run_shell(*evidence.vertex, evidence.inputs, evidence.files, deps,
                         foreground->take_stdio(), foreground->signals(), cancel));
  foreground->finish();
  return ended.start_error.empty() ? Status()
                                   : not_found("no shell could be started: {}", ended.start_error);
}

/// What exporters may still lack of the base image.
exporter::LayerFetcher fetcher(const Evidence& evidence, source::ImageResolver& images) {
  const auto* tree = dynamic_cast<const ops::TreeResult*>(evidence.files.get());
  if (tree == nullptr || !tree->base) {
    return {};
  }
  const ops::BaseImage& base = *tree->base;
  return {.trees = [&] { return images.fetch_trees(base.id, base.vertex); },
          .blobs = [&] { return images.fetch_blobs(base.id, base.vertex); }};
}

void add_hint(std::string& hints, const Result<std::string>& more, std::string_view what) {
  hints += hints.empty() ? "" : "\n";
  hints += more ? *more : fmt::format("{}: {}", what, more.error().message());
}

}  // namespace

bool wants_evidence(const BuildRequest& request) {
  return request.export_failed || request.on_error != OnError::Discard;
}

Error handle_failure(const FailedBuild& build, exporter::ExportDeps deps) {
  Error failure = *build.solved.failure;
  if (failure.kind() == ErrorKind::Cancelled) {
    return failure;
  }
  std::string hints = failure.hint();
  const Result<Evidence> evidence = find_evidence(build);
  if (!evidence) {
    add_hint(hints, evidence.error().message(), "");
    return std::move(failure).with_hint(hints);
  }
  const auto output = output_of(*evidence, build.lowered);
  deps.fetch = fetcher(*evidence, build.op_deps.images);
  if (build.request.on_error != OnError::Discard) {
    add_hint(hints, output ? keep(*evidence, *output, deps) : output.error(),
             "the failed step's files could not be kept");
  }
  if (build.request.export_failed) {
    add_hint(hints, output ? export_files(*evidence, *output, build.outputs, deps) : output.error(),
             "the failed step's files could not be exported");
  }
  failure = std::move(failure).with_hint(hints);
  if (build.request.on_error == OnError::Shell && build.request.offer_shell) {
    build.request.offer_shell(
        failure, [&]() -> Status { return run_shell(*evidence, build.op_deps, deps.cancel); });
  }
  return failure;
}

}  // namespace mybuild::builder
