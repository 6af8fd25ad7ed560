// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/copy_source.h"

#include "frontend/ignore/pattern.h"
#include "frontend/remote/git_url.h"
#include "frontend/remote/http_url.h"

#include <fmt/format.h>

namespace mybuild::frontend {

namespace {

/// --keep-git-dir, whatever it says, is said of a repository.
Result<std::optional<GitUrl>> git_url(const CopyStep& step, std::string_view source) {
  return parse_git_url(source, UrlOrigin::Dockerfile, step.keep_git_dir.has_value());
}

Result<RemoteSource> git_source(const CopyStep& step, GitUrl url, const std::string& checksum) {
  solver::GitSource& git = url.source;
  if (step.keep_git_dir && url.keep_git_dir && *step.keep_git_dir != *url.keep_git_dir) {
    return invalid_argument("inconsistent keep-git-dir configuration")
        .with_hint(fmt::format("the flag says {}, the URL says {}", *step.keep_git_dir,
                               *url.keep_git_dir));
  }
  git.keep_git_dir = url.keep_git_dir.value_or(step.keep_git_dir.value_or(false));
  if (!checksum.empty()) {
    const std::string wanted = TRY(parse_git_checksum(checksum));
    if (!git.checksum.empty() && git.checksum != wanted) {
      return invalid_argument("checksum mismatch \"{}\" != \"{}\"", checksum, git.checksum)
          .with_hint("the flag and the URL name different commits");
    }
    git.checksum = wanted;
  }
  return RemoteSource{.op = std::move(git), .path = "/", .unpack = false};
}

Result<RemoteSource> http_source(const CopyStep& step, const std::string& url,
                                 const std::string& checksum) {
  TRY(check_http_url(url));
  solver::HttpSource http{.url = request_url(url), .filename = url_file_name(url), .checksum = {}};
  if (!checksum.empty()) {
    auto digest = Digest::parse(checksum);
    if (!digest) {
      return std::move(digest)
          .error()
          .context("--checksum")
          .with_hint("the checksum of a file is \"sha256:\" and 64 hex digits");
    }
    http.checksum = *digest;
  }
  std::string path = "/" + literal_pattern(http.filename);
  return RemoteSource{
      .op = std::move(http), .path = std::move(path), .unpack = step.unpack.value_or(false)};
}

}  // namespace

bool is_git(std::string_view source) {
  const auto git = parse_git_url(source, UrlOrigin::Dockerfile);
  return !git || git->has_value();
}

bool is_remote(std::string_view source) {
  return is_http_url(source) || is_git(source);
}

Result<std::optional<RemoteSource>> remote_source(const CopyStep& step, const std::string& source,
                                                  const std::string& checksum) {
  auto git = TRY(git_url(step, source));
  if (!git && !is_http_url(source)) {
    return std::optional<RemoteSource>();
  }
  if (!step.is_add) {
    return invalid_argument("source can't be a {} for COPY", git ? "git ref" : "URL")
        .with_hint("ADD takes URLs");
  }
  auto remote =
      TRY(git ? git_source(step, std::move(*git), checksum) : http_source(step, source, checksum));
  return std::optional(std::move(remote));
}

Status check_checksum(const CopyStep& step, const std::vector<std::string>& sources,
                      const std::string& checksum) {
  if (checksum.empty()) {
    return {};
  }
  if (sources.size() != 1 || !step.files.empty()) {
    return invalid_argument("checksum can't be specified for multiple sources")
        .with_hint("write one ADD for each of them");
  }
  if (!is_remote(sources[0])) {
    return invalid_argument("checksum requires HTTP(S) or Git sources")
        .with_hint("files of the context are what they are: leave --checksum out");
  }
  return {};
}

std::string source_path(const std::string& source, bool parents) {
  const auto pivot = parents ? source.find("/./") : std::string::npos;
  if (pivot == std::string::npos) {
    return clean_path("/" + source);
  }
  const std::string front = clean_path("/" + source.substr(0, pivot));
  const std::string back = clean_path("/" + source.substr(pivot + 3));
  return (front == "/" ? "" : front) + "/." + back;
}

std::string literal_pattern(const std::string& name) {
  if (name.find_first_of("*?[") == std::string::npos) {
    return name;
  }
  std::string out;
  for (const char c : name) {
    const bool is_special = std::string_view("*?[\\").find(c) != std::string_view::npos;
    const std::string_view escape = c == '\\' ? "\\" : "";
    out += is_special ? fmt::format("[{}{}]", escape, c) : std::string(1, c);
  }
  return out;
}

}  // namespace mybuild::frontend
