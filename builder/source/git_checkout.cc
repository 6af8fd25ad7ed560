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

namespace {

/// What was fetched before is part of the question for these.
bool may_come_from_the_mirror(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::DataLoss:
    case ErrorKind::Deadline:
    case ErrorKind::NotFound:
    case ErrorKind::Internal:
      return true;
    default:
      return false;
  }
}

/// Takes what is kept of a remote away, and puts it back unless something new has come in its
/// place.
class MirrorAside {
 public:
  static Result<std::optional<MirrorAside>> take(const std::string& mirror,
                                                 snapshotter::LayerStore& layers) {
    if (!sys::exists_at(AT_FDCWD, mirror)) {
      return std::optional<MirrorAside>();
    }
    const std::optional<FileLock> lock =
        TRY(FileLock::try_acquire(join_path(mirror, "lock"), FileLock::Mode::Exclusive));
    if (!lock) {
      return std::optional<MirrorAside>();  // somebody reads it without trouble, it seems
    }
    MirrorAside aside(mirror, TRY(layers.scratch()));
    bool moved = false;
    for (const char* kind : kKinds) {
      moved = static_cast<bool>(sys::rename_at(AT_FDCWD, join_path(mirror, kind), AT_FDCWD,
                                               join_path(aside.scratch_.path(), kind))) ||
              moved;
    }
    return moved ? std::optional(std::move(aside)) : std::optional<MirrorAside>();
  }

  void put_back() {
    for (const char* kind : kKinds) {
      const std::string place = join_path(mirror_, kind);
      if (!sys::exists_at(AT_FDCWD, place)) {
        (void)sys::rename_at(AT_FDCWD, join_path(scratch_.path(), kind), AT_FDCWD, place);
      }
    }
  }

 private:
  static constexpr const char* kKinds[] = {"shallow", "full"};
  MirrorAside(std::string mirror, TempDir scratch)
      : mirror_(std::move(mirror)), scratch_(std::move(scratch)) {}
  std::string mirror_;
  TempDir scratch_;
};

}  // namespace

/// A mirror that a power cut or a bad disk has damaged can make libgit2 say anything, or nothing
/// for ever. So an answer that may come from there is asked for once more, with nothing kept.
Result<git::HelperResult> GitCheckout::provide(const git::HelperRequest& request) const {
  const auto ask = [&](const std::string& destination) -> Result<git::HelperResult> {
    TRY(sys::mkdir_at(AT_FDCWD, destination, 0755));
    git::HelperRequest asked = request;
    asked.destination = destination;
    return run_git_helper(*deps_, wanted_.remote, std::move(asked), vertex_, cancel_);
  };
  Result<git::HelperResult> result = ask(request.destination);
  if (result || !may_come_from_the_mirror(result.error())) {
    return result;
  }
  const std::string mirror = git::mirror_directory(join_path(deps_->root, "git"), wanted_.remote);
  std::optional<MirrorAside> aside = TRY(MirrorAside::take(mirror, deps_->layers));
  if (!aside) {
    return result;
  }
  TRY(remove_tree(request.destination));
  Result<git::HelperResult> again = ask(request.destination);
  if (!again) {
    aside->put_back();
    return result;
  }
  deps_->events.on_event(solver::Warning{.message = "what was kept of " +
                                                    git::shown(wanted_.remote) +
                                                    " was damaged and has been fetched anew",
                                         .detail = result.error().message(),
                                         .location = {}});
  return again;
}

Result<std::unique_ptr<snapshotter::TreeView>> GitCheckout::view_of(const Digest& diff_id) const {
  const std::optional<std::vector<std::string>> trees = TRY(deps_->layers.trees({&diff_id, 1}));
  if (!trees) {
    return std::unique_ptr<snapshotter::TreeView>();
  }
  return snapshotter::open_layered_view(*trees);
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
  const git::HelperResult result = TRY(provide(request));
  const snapshotter::Layer layer = TRY(deps_->layers.commit_tree(request.destination));
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

/// Two builds of one commit check it out once.
Result<GitCheckout::Made> GitCheckout::find_or_check_out() const {
  if (deps_->claims == nullptr) {
    return check_out();
  }
  const auto on_wait = [this] {
    deps_->events.on_event(
        solver::LogChunk{.vertex = vertex_,
                         .stream = 2,
                         .bytes = "waiting for another build, which checks it out\n",
                         .time = deps_->clock.now()});
  };
  const snapshotter::Claim claim =
      TRY(deps_->claims->take({snapshotter::Claims::git_tree(wanted_.id)}, cancel_, on_wait));
  std::optional<Made> found = TRY(find());
  return found ? std::move(*found) : check_out();
}

Result<const GitCheckout::Made*> GitCheckout::made() const {
  const std::lock_guard lock(mutex_);
  if (!made_) {
    made_ = TRY(find());
  }
  if (!made_) {
    made_ = TRY(find_or_check_out());
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
