// SPDX-License-Identifier: Apache-2.0
#include "builder/build_session.h"

#include "builder/internal_step.h"
#include "builder/ops/op_table.h"
#include "builder/ops/trees.h"
#include "builder/step_claims.h"
#include "frontend/dockerfile/main_context.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"

namespace mybuild::builder {

namespace {

/// Files and directories that no source has a time for (WORKDIR, heredocs, parents of a COPY) get
/// this one, so that the same inputs give the same bytes. Not SOURCE_DATE_EPOCH: no time is in a
/// key, so a layer of an earlier build would have that one's. 1980-01-02: zip, and what is made of
/// it, cannot tell earlier days.
constexpr std::int64_t kInventedTime = 315619200;

/// Steps see the host's resolver as long as they are on the host's network.
std::string host_resolv_conf() {
  return read_file("/etc/resolv.conf").value_or("");
}

}  // namespace

Result<std::unique_ptr<BuildSession>> BuildSession::start(Engine::Services& services,
                                                          const BuildRequest& request,
                                                          solver::EventSink& events, Cancel& cancel,
                                                          const Cancel& downloads,
                                                          const std::set<std::size_t>& bad_caches,
                                                          cache_client::CacheClient* server) {
  snapshotter::Snapshotter* snapshotter = TRY(services.get_snapshotter());
  return std::unique_ptr<BuildSession>(new BuildSession(services, *snapshotter, request, events,
                                                        cancel, downloads, bad_caches, server));
}

BuildSession::BuildSession(Engine::Services& services, snapshotter::Snapshotter& snapshotter,
                           const BuildRequest& request, solver::EventSink& events, Cancel& cancel,
                           const Cancel& downloads, const std::set<std::size_t>& bad_caches,
                           cache_client::CacheClient* server)
    : services_(services),
      snapshotter_(snapshotter),
      request_(request),
      events_(events),
      cancel_(cancel),
      first_showing_(events),
      mount_points_([&services] { return services.layers->scratch(); }),
      images_(services.image_resolver(request.pull, events, downloads)),
      files_(services.http_sources(events, request.secrets.get())),
      commits_(services.git_sources(events, request.secrets.get(), request.agents.get())),
      server_(server) {
  if (!request.cache_from.empty()) {
    import_caches(downloads, bad_caches);
  }
  if (!record_sources().empty()) {
    open_remote_layers(downloads);
  }
}

void BuildSession::import_caches(const Cancel& downloads, const std::set<std::size_t>& bad_caches) {
  std::vector<oci::Platform> platforms = request_.platforms;
  if (platforms.empty()) {
    platforms.push_back(oci::host_platform());
  }
  imported_ = std::make_unique<remote_cache::ImportedCache>(
      request_.cache_from, std::move(platforms), bad_caches,
      remote_cache::ImportedCache::Deps{.registry = *services_.registry,
                                        .metadata = *services_.metadata,
                                        .lanes = services_.lanes,
                                        .events = events_,
                                        .clock = services_.clock,
                                        .cancel = cancel_,
                                        .downloads = downloads});
}

/// In the order to ask them: the server answers at once or not at all.
std::vector<remote_cache::RecordSource*> BuildSession::record_sources() {
  std::vector<remote_cache::RecordSource*> sources;
  if (server_ != nullptr) {
    sources.push_back(&server_->records());
  }
  if (imported_ != nullptr) {
    sources.push_back(imported_.get());
  }
  return sources;
}

void BuildSession::open_remote_layers(const Cancel& downloads) {
  remote_layers_ = std::make_unique<source::RemoteLayers>(source::RemoteLayers::Deps{
      .fetch = {.content = *services_.content,
                .layers = *services_.layers,
                .lanes = services_.lanes,
                .events = events_,
                .cancel = downloads,
                .clock = services_.clock,
                .claims = &services_.claims},
      .metadata = *services_.metadata,
      .where = [this](const Digest& diff_id) { return find_layer(diff_id); },
      .announce =
          [this](std::span<const Digest> diff_ids) {
            for (remote_cache::RecordSource* source : record_sources()) {
              source->announce(diff_ids);
            }
          },
      .on_bad = [this](std::size_t cache, const Error& why) { distrust(cache, why); }});
}

std::optional<source::RemoteLayer> BuildSession::find_layer(const Digest& diff_id) {
  for (remote_cache::RecordSource* source : record_sources()) {
    if (std::optional<source::RemoteLayer> place = source->where(diff_id)) {
      return place;
    }
  }
  return std::nullopt;
}

void BuildSession::distrust(std::size_t cache, const Error& why) {
  if (cache_client::is_of_server(cache)) {
    server_->distrust(cache, why);
  } else {
    imported_->distrust(cache, why);
  }
}

std::set<std::size_t> BuildSession::bad_caches() const {
  std::set<std::size_t> bad =
      imported_ == nullptr ? std::set<std::size_t>() : imported_->distrusted();
  if (server_ != nullptr) {
    bad.merge(server_->distrusted());
  }
  return bad;
}

remote_cache::Vouched BuildSession::vouched() const {
  if (server_ == nullptr) {
    return {};
  }
  return {.domain = server_->trust_domain(), .is_layer = [this](const Digest& diff_id) {
            return server_->records().has_told_of(diff_id);
          }};
}

BuildSession::~BuildSession() {
  if (const Status saved = services_.stat_index.save(); !saved) {
    log::debug("stat index: {}", saved.error().message());  // the next build reads files again
  }
}

void BuildSession::FirstShowing::on_event(solver::Event event) {
  const auto* started = std::get_if<solver::VertexStarted>(&event);
  const auto* cached = std::get_if<solver::VertexCached>(&event);
  const auto* done = std::get_if<solver::VertexDone>(&event);
  const solver::VertexId* vertex = started != nullptr  ? &started->vertex
                                   : cached != nullptr ? &cached->vertex
                                   : done != nullptr   ? &done->vertex
                                                       : nullptr;
  if (vertex != nullptr) {
    const auto known = done_.lock();
    if (known->contains(*vertex)) {
      return;
    }
    if (cached != nullptr || (done != nullptr && !done->error)) {
      known->insert(*vertex);
    }
  }
  events_.on_event(std::move(event));
}

Result<std::shared_ptr<const snapshotter::TreeView>> BuildSession::solve_tree(
    solver::GraphBuilder builder, solver::Edge edge,
    const std::map<std::string, source::SourceTree>& trees) {
  const solver::Graph graph = std::move(builder).build();
  BuildInputs inputs;
  inputs.trees = trees;
  devices::DeviceSource devices({}, {});
  const ops::OpDeps deps = op_deps(inputs, devices);
  solver::SolveResult solved = solve(graph, deps, {edge});
  if (solved.failure) {
    return std::move(*solved.failure);
  }
  const solver::ResultPtr& result = solved.vertices[edge.vertex].output->result;
  if (const auto* files = dynamic_cast<const ops::ContextResult*>(result.get())) {
    return files->view;
  }
  ops::View view = TRY(ops::open_view(result, deps));
  return std::shared_ptr<const snapshotter::TreeView>(std::move(view.owned));
}

Result<std::shared_ptr<const snapshotter::TreeView>> BuildSession::open(
    const frontend::MainContext& context, const std::map<std::string, source::SourceTree>& trees) {
  solver::GraphBuilder graph;
  const solver::Edge edge = frontend::lower_main_context(graph, context, oci::host_platform());
  return solve_tree(std::move(graph), edge, trees);
}

Result<std::shared_ptr<const snapshotter::TreeView>> BuildSession::open_url(
    const std::string& url, const std::string& file_name) {
  solver::GraphBuilder graph;
  solver::HttpSource file{.url = url, .filename = file_name, .checksum = {}};
  const solver::Edge edge =
      graph.add(solver::SourceOp{std::move(file)}, {}, oci::host_platform(),
                {.name = "[internal] load " + frontend::shown_url(url), .location = {}});
  return solve_tree(std::move(graph), edge, {});
}

std::vector<Result<frontend::ImageMeta>> BuildSession::resolve(
    const std::vector<frontend::ImageRequest>& requests) {
  return images_->resolve(requests);
}

Result<std::optional<std::int64_t>> BuildSession::source_time(const solver::SourceOp& source) {
  InternalStep step("[internal] find SOURCE_DATE_EPOCH", events_, services_.clock);
  return step.done(find_time(source, step.id()));
}

Result<std::optional<std::int64_t>> BuildSession::find_time(const solver::SourceOp& source,
                                                            const solver::VertexId& vertex) {
  source::SourceTree tree;
  if (const auto* http = std::get_if<solver::HttpSource>(&source)) {
    tree = TRY(files_->open(*http, vertex, cancel_));
  } else if (const auto* git = std::get_if<solver::GitSource>(&source)) {
    tree = TRY(commits_->open(*git, vertex, cancel_));
  }
  if (!tree.time && tree.find_time) {
    tree.time = TRY(tree.find_time());
  }
  return tree.time;
}

ops::OpDeps BuildSession::op_deps(BuildInputs& inputs, devices::DeviceSource& devices) {
  return ops::OpDeps{
      .layers = *services_.layers,
      .snapshotter = snapshotter_,
      .images = *images_,
      .files = *files_,
      .commits = *commits_,
      .sandbox = *services_.sandbox,
      .mount_points = mount_points_,
      .devices = devices,
      .events = events_,
      .lanes = services_.lanes,
      .clock = services_.clock,
      .directories = std::move(inputs.directories),
      .contents = snapshotter::ContentMemory(services_.stat_index, request_.reread_contexts),
      .trees = std::move(inputs.trees),
      .cache_mounts_dir = join_path(services_.root, "cache-mounts"),
      .resolv_conf = host_resolv_conf(),
      .secrets = request_.secrets.get(),
      .agents = request_.agents.get(),
      .selections = services_.history.get(),
      .remote_layers = remote_layers_.get(),
      // Nobody knows what other machines have before they were asked, which takes a key.
      .claims = remote_layers_ == nullptr ? &services_.claims : nullptr,
      .wanted_blobs = {},
      .prefetch = nullptr,
      .invented_mtime = {.tv_sec = kInventedTime, .tv_nsec = 0},
  };
}

solver::SolveResult BuildSession::solve(const solver::Graph& graph, const ops::OpDeps& deps,
                                        const std::vector<solver::Edge>& targets,
                                        solver::KnownBuilds* known_builds) {
  const solver::OpTable ops = ops::make_op_table(graph, deps);
  solver::LocalExecutor executor;
  std::unique_ptr<solver::StepClaims> claims = make_step_claims(services_.claims, services_.lanes);
  if (server_ != nullptr) {
    claims = server_->claims(std::move(claims), [this](const solver::ContentKey& content) {
      const auto known = services_.index->find(content);
      return known && !known->empty();
    });
  }
  remote_cache::SessionIndex index(*services_.index, record_sources(), on_record_,
                                   vouched().domain);
  return solver::solve(
      graph, ops, targets,
      {.index = index,
       .lanes = services_.lanes,
       .executor = executor,
       .events = first_showing_,
       .clock = services_.clock,
       .cancel = cancel_,
       .options = {.early_cutoff = request_.early_cutoff, .step_timeout = request_.step_timeout},
       .known_builds = known_builds,
       .claims = claims.get()});
}

}  // namespace mybuild::builder
