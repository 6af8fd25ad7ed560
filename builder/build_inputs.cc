// SPDX-License-Identifier: Apache-2.0
#include "builder/build_inputs.h"

#include "builder/context_spec.h"
#include "builder/stdin_context.h"
#include "frontend/dockerfile/main_context.h"
#include "frontend/ignore/dockerignore.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <cerrno>

namespace mybuild::builder {

namespace {

using frontend::ArchiveContext;
using frontend::LocalContext;
using snapshotter::TreeView;

constexpr std::size_t kMaxDockerfile = 64 << 20;
constexpr std::size_t kMaxIgnoreFile = 16 << 20;
constexpr char kStdin[] = "-";
constexpr char kDockerfile[] = "Dockerfile";
/// What a Dockerfile may be called when nobody says it, the usual name first.
constexpr const char* kDefaultNames[] = {kDockerfile, "dockerfile"};

bool is_directory(const std::string& path) {
  const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
  return info && S_ISDIR(info->st_mode);
}

/// Takes the first of `candidates` that is a file; as for BuildKit a directory of that name is
/// none.
Status read_ignore_file(const std::vector<std::string>& candidates,
                        ops::LocalDirectory& directory) {
  for (const std::string& path : candidates) {
    const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
    if ((!info && info.error().kind() == ErrorKind::NotFound) || (info && S_ISDIR(info->st_mode))) {
      continue;
    }
    const std::string text = TRY(read_regular_file(AT_FDCWD, path, kMaxIgnoreFile));
    directory.ignore = frontend::parse_dockerignore(text);
    directory.ignore_file = path;
    return {};
  }
  return {};
}

Result<ops::LocalDirectory> local_directory(const std::string& path,
                                            const std::string& dockerfile) {
  const Result<struct stat> found = sys::stat_at(AT_FDCWD, path);
  if (!found && path.find("://") != std::string::npos) {
    return not_found("context {} is neither a directory nor a URL of a known kind", path)
        .with_hint("it can be a directory, docker-image://, oci-layout://, http(s)://, or git");
  }
  const struct stat info = TRY(Result(found));
  if (!S_ISDIR(info.st_mode)) {
    return invalid_argument("context {} is not a directory", path)
        .with_hint("an archive goes to standard input: build - <FILE");
  }
  std::vector<std::string> candidates;
  if (!dockerfile.empty()) {
    candidates.push_back(dockerfile + ".dockerignore");
  }
  candidates.push_back(join_path(path, ".dockerignore"));
  ops::LocalDirectory directory{.path = path, .ignore = {}, .ignore_file = {}};
  TRY(read_ignore_file(candidates, directory));
  return directory;
}

/// One build's inputs while they are read.
class Reader {
 public:
  Reader(const BuildRequest& request, ContextOpener& opener) : request_(request), opener_(opener) {}

  Result<BuildInputs> run() {
    TRY(read_context());
    for (const auto& [name, value] : request_.contexts) {
      TRY(add_named(name, value).context(fmt::format("--build-context {}", name)));
    }
    return std::move(inputs_);
  }

 private:
  Status read_context() {
    if (request_.context == kStdin) {
      return read_stdin();
    }
    if (!is_directory(request_.context)) {
      std::optional<RemoteContext> remote = TRY(parse_remote_context(request_.context));
      if (remote) {
        return std::visit([this](auto& source) { return read_remote(std::move(source)); }, *remote);
      }
    }
    return read_directory();
  }

  // ---- a directory of this machine

  Status read_directory() {
    std::string ignore_beside;
    if (is_given_elsewhere()) {
      TRY(read_given_dockerfile());
      ignore_beside = inputs_.path.starts_with('/') ? inputs_.path : "";
    } else {
      inputs_.path = TRY(find_in_directory());
      inputs_.text = TRY(read_file_of_machine(inputs_.path));
      ignore_beside = inputs_.path;
    }
    inputs_.file_name = base_name(inputs_.path);
    ops::LocalDirectory context = TRY(local_directory(request_.context, ignore_beside));
    inputs_.directories.emplace("context", std::move(context));
    return {};
  }

  Result<std::string> find_in_directory() const {
    if (!request_.dockerfile.empty()) {
      return request_.dockerfile;
    }
    for (const char* name : kDefaultNames) {
      std::string path = request_.context == "." ? name : join_path(request_.context, name);
      const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
      if (info) {
        return path;
      }
      if (info.error().kind() != ErrorKind::NotFound) {
        return Error(info.error()).context("failed to read dockerfile");
      }
    }
    return not_found("failed to read dockerfile: {} has no Dockerfile", request_.context)
        .with_hint("name it with -f, or give the directory that holds it");
  }

  static Result<std::string> read_file_of_machine(const std::string& path) {
    return read_regular_file(AT_FDCWD, path, kMaxDockerfile).context("failed to read dockerfile");
  }

  // ---- standard input

  Status read_stdin() {
    if (request_.dockerfile == kStdin) {
      return invalid_argument("can't use stdin for both build context and dockerfile")
          .with_hint("give a directory or a URL beside -f -, or name the Dockerfile with -f");
    }
    FileSource input(TRY(sys::dup(0)));
    StdinContext read =
        TRY(read_stdin_context(input, kMaxDockerfile).context("read the context from stdin"));
    if (auto* archive = std::get_if<source::SourceTree>(&read)) {
      inputs_.trees.emplace("context", std::move(*archive));
      inputs_.context = ArchiveContext{LocalContext{}};
      return read_dockerfile_inside();
    }
    if (!request_.dockerfile.empty()) {
      return invalid_argument("ambiguous Dockerfile source: both stdin and -f {} give one",
                              request_.dockerfile)
          .with_hint("what came on stdin is no archive, so it was taken for the Dockerfile");
    }
    inputs_.text = std::move(std::get<std::string>(read));
    inputs_.file_name = kDockerfile;
    inputs_.path = kStdin;
    source::SourceTree nothing;
    nothing.id = Digest::of("");
    nothing.view = TRY(empty_view());
    inputs_.trees.emplace("context", std::move(nothing));
    return {};
  }

  static Result<std::shared_ptr<const TreeView>> empty_view() {
    std::shared_ptr<const TreeView> view = TRY(snapshotter::open_layered_view({}));
    return view;
  }

  // ---- other places

  Status read_remote(solver::GitSource git) {
    git.keep_git_dir |= frontend::keeps_git_dir(request_.build_args);
    inputs_.context = std::move(git);
    return read_dockerfile_inside();
  }

  Status read_remote(solver::HttpSource http) {
    inputs_.context = http;
    const std::shared_ptr<const TreeView> view = TRY(open());
    if (TRY(is_archive(*view))) {
      inputs_.context = ArchiveContext{std::move(http)};
      return read_dockerfile_inside();
    }
    if (is_given_elsewhere()) {
      return read_given_dockerfile();
    }
    inputs_.path = request_.context;
    inputs_.file_name = kContextFile;
    return read_from(*view, std::string(kContextFile));
  }

  static Result<bool> is_archive(const TreeView& view) {
    const std::optional<snapshotter::Entry> file = TRY(view.lookup(kContextFile));
    if (!file) {
      return internal_error("a download without its file");
    }
    const Fd bytes = TRY(view.open(*file));
    std::vector<std::byte> header(1024);
    header.resize(TRY(sys::read(bytes.get(), header)));
    return looks_like_archive(header);
  }

  Result<std::shared_ptr<const TreeView>> open() {
    return opener_.open(inputs_.context, inputs_.trees);
  }

  // ---- the Dockerfile

  /// True if -f names a Dockerfile that is not looked for in the context. In an archive from
  /// standard input every path is one of the archive's, as for docker.
  bool is_given_elsewhere() const {
    const std::string& name = request_.dockerfile;
    const bool is_path = name.starts_with('/') && request_.context != kStdin;
    return name == kStdin || frontend::is_http_url(name) || is_path;
  }

  Status read_given_dockerfile() {
    const std::string& name = request_.dockerfile;
    inputs_.path = name;
    inputs_.file_name = kDockerfile;
    if (name == kStdin) {
      FileSource input(TRY(sys::dup(0)));
      inputs_.text = TRY(read_all(input, kMaxDockerfile).context("failed to read dockerfile"));
      return {};
    }
    if (frontend::is_http_url(name)) {
      const std::shared_ptr<const TreeView> view = TRY(opener_.open_url(name, kDockerfile));
      return read_from(*view, kDockerfile);
    }
    inputs_.file_name = base_name(name);
    inputs_.text = TRY(read_file_of_machine(name));
    return {};
  }

  /// From a context that is not a directory of this machine.
  Status read_dockerfile_inside() {
    if (is_given_elsewhere()) {
      return read_given_dockerfile();
    }
    const std::shared_ptr<const TreeView> view = TRY(open());
    const std::string given = clean_relative(request_.dockerfile);
    std::vector<std::string> names(std::begin(kDefaultNames), std::end(kDefaultNames));
    if (!given.empty()) {
      names = {given};
      if (base_name(given) == kDockerfile) {
        names.push_back(given.substr(0, given.size() - sizeof kDockerfile + 1) + kDefaultNames[1]);
      }
    }
    for (const std::string& name : names) {
      const std::string path = TRY(view->resolve(name));
      if (TRY(view->lookup(path))) {
        inputs_.path = name;
        inputs_.file_name = base_name(name);
        return read_from(*view, path);
      }
    }
    if (TRY(is_unread_archive(*view))) {
      return data_loss(
                 "failed to read dockerfile: the context {} begins like an archive and is none",
                 shown_context())
          .with_hint("is it damaged, cut off, or compressed in a way that is not known?");
    }
    return not_found("failed to read dockerfile: the context {} has no {}", shown_context(),
                     names.front())
        .with_hint("-f names a Dockerfile by its path in the context");
  }

  /// What cannot be unpacked is copied as it is, as ADD does it.
  Result<bool> is_unread_archive(const TreeView& view) const {
    const auto there = TRY(view.lookup(kContextFile));
    const std::vector<std::string> names = TRY(view.list(""));
    return std::holds_alternative<ArchiveContext>(inputs_.context) && there && names.size() == 1;
  }

  std::string shown_context() const {
    return request_.context == kStdin ? "from stdin" : frontend::shown_url(request_.context);
  }

  Status read_from(const TreeView& view, const std::string& path) {
    std::optional<std::string> text =
        TRY(view.read_small(path, kMaxDockerfile).context("failed to read dockerfile"));
    if (!text) {
      return invalid_argument("failed to read dockerfile: {} is not a file", path);
    }
    inputs_.text = std::move(*text);
    return {};
  }

  // ---- --build-context

  Status add_named(const std::string& name, const std::string& value) {
    NamedContextSpec spec = TRY(parse_named_context(value));
    return std::visit([&](auto& kind) { return add_kind(name, std::move(kind)); }, spec);
  }
  Status add_kind(const std::string& name, DirectoryContext directory) {
    ops::LocalDirectory files = TRY(local_directory(directory.path, ""));
    inputs_.contexts.emplace(name, LocalContext{});
    inputs_.directories.insert_or_assign(frontend::local_source_name(name), std::move(files));
    return {};
  }
  template <class Kind>
  Status add_kind(const std::string& name, Kind kind) {
    inputs_.contexts.emplace(name, std::move(kind));
    return {};
  }

  const BuildRequest& request_;
  ContextOpener& opener_;
  BuildInputs inputs_;
};

}  // namespace

Result<BuildInputs> read_build_inputs(const BuildRequest& request, ContextOpener& opener) {
  return Reader(request, opener).run();
}

bool has_remote_inputs(const BuildRequest& request) {
  return frontend::is_http_url(request.dockerfile) || request.context == kStdin ||
         !is_directory(request.context);
}

}  // namespace mybuild::builder
