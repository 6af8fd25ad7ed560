// SPDX-License-Identifier: Apache-2.0
#include "builder/build_inputs.h"

#include "frontend/ignore/dockerignore.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <cerrno>

namespace mybuild::builder {

namespace {

constexpr std::size_t kMaxDockerfile = 64 << 20;
constexpr std::size_t kMaxIgnoreFile = 16 << 20;

Result<std::string> find_dockerfile(const BuildRequest& request) {
  if (!request.dockerfile.empty()) {
    return request.dockerfile;
  }
  for (const char* name : {"Dockerfile", "dockerfile"}) {
    std::string path = join_path(request.context_dir, name);
    const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
    if (info) {
      return path;
    }
    if (info.error().kind() != ErrorKind::NotFound) {
      return Error(info.error()).context("failed to read dockerfile");
    }
  }
  return not_found("failed to read dockerfile: {} has no Dockerfile", request.context_dir)
      .with_hint("name it with -f, or give the directory that holds it");
}

/// `-f -` arrives as /dev/stdin, which may be a pipe; any other Dockerfile must be a regular file.
Result<std::string> read_dockerfile(const std::string& path) {
  if (path == "/dev/stdin") {
    FileSource input(TRY(sys::dup(0)));
    return read_all(input, kMaxDockerfile);
  }
  return read_regular_file(AT_FDCWD, path, kMaxDockerfile);
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
  const struct stat info = TRY(sys::stat_at(AT_FDCWD, path));
  if (!S_ISDIR(info.st_mode)) {
    return invalid_argument("context {} is not a directory", path)
        .with_hint("archives, URLs and - as a context are not supported yet");
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

/// "DIR[:TAG][@DIGEST]"; a colon belongs to the tag only after the last slash.
Result<frontend::LayoutContext> parse_layout(std::string value) {
  frontend::LayoutContext layout;
  if (const std::size_t at = value.rfind('@'); at != std::string::npos) {
    layout.digest = TRY(Digest::parse(value.substr(at + 1)));
    value.resize(at);
  }
  const std::size_t colon = value.rfind(':');
  const std::size_t slash = value.rfind('/');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    layout.tag = value.substr(colon + 1);
    value.resize(colon);
  }
  layout.path = std::move(value);
  return layout;
}

constexpr std::string_view kImagePrefix = "docker-image://";
constexpr std::string_view kLayoutPrefix = "oci-layout://";

bool is_remote(std::string_view value) {
  for (const std::string_view prefix :
       {"http://", "https://", "git://", "ssh://", "git@", "target:"}) {
    if (value.starts_with(prefix)) {
      return true;
    }
  }
  return false;
}

Status add_context(const std::string& name, const std::string& value, BuildInputs& inputs) {
  if (value.starts_with(kImagePrefix)) {
    oci::Reference reference = TRY(oci::Reference::parse(value.substr(kImagePrefix.size())));
    inputs.contexts.emplace(name, frontend::ImageContext{std::move(reference)});
    return {};
  }
  if (value.starts_with(kLayoutPrefix)) {
    frontend::LayoutContext layout = TRY(parse_layout(value.substr(kLayoutPrefix.size())));
    inputs.contexts.emplace(name, std::move(layout));
    return {};
  }
  if (is_remote(value)) {
    return unsupported("remote contexts such as {} are not supported yet", value);
  }
  ops::LocalDirectory directory = TRY(local_directory(value, ""));
  inputs.contexts.emplace(name, frontend::LocalContext{});
  inputs.directories.insert_or_assign(name, std::move(directory));
  return {};
}

}  // namespace

Result<BuildInputs> read_build_inputs(const BuildRequest& request) {
  BuildInputs inputs;
  const std::string dockerfile = TRY(find_dockerfile(request));
  inputs.file_name = base_name(dockerfile);
  inputs.text = TRY(read_dockerfile(dockerfile).context("failed to read dockerfile"));
  ops::LocalDirectory context = TRY(local_directory(request.context_dir, dockerfile));
  inputs.directories.emplace("context", std::move(context));
  for (const auto& [name, value] : request.contexts) {
    TRY(add_context(name, value, inputs).context(fmt::format("--build-context {}", name)));
  }
  return inputs;
}

}  // namespace mybuild::builder
