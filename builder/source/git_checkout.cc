// SPDX-License-Identifier: Apache-2.0
#include "builder/source/git_checkout.h"

#include "builder/source/git_credentials.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

namespace mybuild::source {

namespace {

/// Shows what the helper says under a vertex.
class Shower {
 public:
  Shower(const GitSourceDeps& deps, const solver::VertexId& vertex)
      : deps_(deps), vertex_(vertex) {}
  Shower(const Shower&) = delete;
  Shower& operator=(const Shower&) = delete;
  ~Shower() { finish(); }

  void show(const git::HelperProgress& progress) {
    if (progress.text != item_.item) {
      finish();
    }
    item_ = {.vertex = vertex_,
             .item = progress.text,
             .current = progress.bytes,
             .total = 0,
             .done = false,
             .time = deps_.clock.now()};
    deps_.events.on_event(item_);
  }

 private:
  void finish() {
    if (!item_.item.empty()) {
      item_.done = true;
      item_.time = deps_.clock.now();
      deps_.events.on_event(item_);
    }
  }

  const GitSourceDeps& deps_;
  const solver::VertexId& vertex_;
  solver::Progress item_;
};

}  // namespace

Result<git::HelperResult> run_git_helper(const GitSourceDeps& deps, const git::Remote& remote,
                                         git::HelperRequest request, const solver::VertexId& vertex,
                                         const Cancel& cancel) {
  const TempDir scratch = TRY(deps.layers.scratch());
  const GitAgent agent = TRY(serve_git_agent(remote, deps.agents));
  Shower shower(deps, vertex);
  git::HelperCall call;
  call.program = deps.helper;
  call.request = std::move(request);
  call.request.remote = git::shown(remote);
  call.request.authorization = TRY(git_authorization(remote, deps.secrets, cancel));
  call.request.scratch = scratch.path();
  call.request.known_hosts = known_hosts_files();
  call.request.has_agent = agent.proxy != nullptr;
  call.request.use_git_program = deps.use_git_program;
  call.request.mirrors = join_path(deps.root, "git");
  call.agent_socket = agent.socket.get();
  call.stall = deps.stall;
  call.on_progress = [&shower](const git::HelperProgress& progress) { shower.show(progress); };
  call.on_warning = [&deps](const std::string& text) {
    deps.events.on_event(solver::Warning{.message = text, .detail = "", .location = std::nullopt});
  };
  Result<git::HelperResult> result = git::call_helper(call, cancel);
  const std::string name = git::shown(remote);
  if (!result && result.error().message().find(name) == std::string::npos) {
    return std::move(result).error().context(name);
  }
  return result;
}

Result<std::unique_ptr<snapshotter::TreeView>> GitCheckout::view_of(const Digest& diff_id) const {
  const std::optional<std::string> tree = TRY(deps_->layers.tree({&diff_id, 1}));
  if (!tree) {
    return std::unique_ptr<snapshotter::TreeView>();
  }
  return snapshotter::open_layered_view({*tree});
}

Result<std::optional<GitCheckout::Made>> GitCheckout::find() const {
  const auto row = TRY(deps_->metadata.find_git_tree(wanted_.id));
  if (!row) {
    return std::optional<Made>();
  }
  Made made;
  made.time = row->time;
  made.view = TRY(view_of(row->diff_id));
  return made.view ? std::optional(std::move(made)) : std::nullopt;
}

Result<GitCheckout::Made> GitCheckout::check_out() const {
  const TempDir scratch = TRY(deps_->layers.scratch());
  git::HelperRequest request;
  request.op = git::HelperRequest::Op::Provide;
  request.object = wanted_.resolved.object;
  request.ref_name = wanted_.resolved.ref_name;
  request.destination = join_path(scratch.path(), "tree");
  request.subdir = wanted_.source.subdir;
  request.submodules = wanted_.source.submodules;
  request.keep_git_dir = wanted_.source.keep_git_dir;
  TRY(sys::mkdir_at(AT_FDCWD, request.destination, 0755));
  const std::string destination = request.destination;
  const git::HelperResult result =
      TRY(run_git_helper(*deps_, wanted_.remote, std::move(request), vertex_, cancel_));
  const snapshotter::Layer layer = TRY(deps_->layers.commit_tree(destination));
  TRY(deps_->metadata.put_git_tree(
      {.key = wanted_.id, .diff_id = layer.diff_id, .time = result.time}));
  Made made;
  made.time = result.time;
  made.view = TRY(view_of(layer.diff_id));
  if (!made.view) {
    return data_loss("{}: its files were checked out and are gone", git::shown(wanted_.remote));
  }
  return made;
}

Result<const GitCheckout::Made*> GitCheckout::made() const {
  const std::lock_guard lock(mutex_);
  if (!made_) {
    made_ = TRY(find());
  }
  if (!made_) {
    made_ = TRY(check_out());
  }
  return &*made_;
}

Result<std::optional<std::int64_t>> GitCheckout::known_time() const {
  const auto row = TRY(deps_->metadata.find_git_tree(wanted_.id));
  return row ? std::optional(row->time) : std::nullopt;
}

Result<std::int64_t> GitCheckout::time() const {
  const Made* made = TRY(this->made());
  return made->time;
}

Result<std::optional<snapshotter::Entry>> GitCheckout::lookup(std::string_view path) const {
  const Made* made = TRY(this->made());
  return made->view->lookup(path);
}

Result<std::vector<std::string>> GitCheckout::list(std::string_view path) const {
  const Made* made = TRY(this->made());
  return made->view->list(path);
}

Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> GitCheckout::hard_link_id(
    std::string_view path) const {
  const Made* made = TRY(this->made());
  return made->view->hard_link_id(path);
}

Result<Fd> GitCheckout::open(const snapshotter::Entry& entry) const {
  const Made* made = TRY(this->made());
  return made->view->open(entry);
}

}  // namespace mybuild::source
