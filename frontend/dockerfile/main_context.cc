// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/main_context.h"

#include "frontend/dockerfile/go_format.h"
#include "frontend/remote/git_url.h"
#include "frontend/remote/http_url.h"

#include <fmt/format.h>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kRemote = "[internal] load remote build context";

std::string git_name(const solver::GitSource& source) {
  return "[internal] load git source " + shown_git(source);
}

solver::HttpSource one_file(solver::HttpSource source) {
  source.filename = kContextFile;
  return source;
}

class Lowerer {
 public:
  Lowerer(solver::GraphBuilder& graph, const oci::Platform& platform)
      : graph_(graph), platform_(platform) {}

  solver::Edge operator()(const LocalContext&) const {
    return add(solver::LocalSource{std::string(kContextFile)}, "[internal] load build context");
  }
  solver::Edge operator()(const solver::GitSource& source) const {
    return add(source, git_name(source));
  }
  solver::Edge operator()(const solver::HttpSource& source) const {
    return add(one_file(source), std::string(kRemote));
  }
  solver::Edge operator()(const ArchiveContext& context) const {
    const auto* http = std::get_if<solver::HttpSource>(&context.archive);
    const solver::Edge file =
        http != nullptr ? (*this)(*http)
                        : add(solver::LocalSource{std::string(kContextFile)}, std::string(kRemote));
    solver::CopyAction all;
    all.sources = {fmt::format("/{}", kContextFile)};
    all.dest = "/";
    all.unpack = true;
    solver::FileOp op{.has_base = false, .actions = {}};
    op.actions.emplace_back(std::move(all));
    return graph_.add(std::move(op), {file}, platform_,
                      {.name = fmt::format("copy /{} /", kContextFile), .location = {}});
  }

 private:
  solver::Edge add(solver::SourceOp source, std::string name) const {
    return graph_.add(std::move(source), {}, platform_, {.name = std::move(name), .location = {}});
  }

  solver::GraphBuilder& graph_;
  const oci::Platform& platform_;
};

}  // namespace

solver::Edge lower_main_context(solver::GraphBuilder& graph, const MainContext& context,
                                const oci::Platform& platform) {
  return std::visit(Lowerer(graph, platform), context);
}

bool keeps_git_dir(const std::map<std::string, std::string>& build_args) {
  const auto given = build_args.find("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
  const auto value = given == build_args.end() ? Result<bool>(false) : parse_go_bool(given->second);
  return value && *value;
}

std::optional<solver::SourceOp> directory_of(const std::string& name, const NamedContext& context) {
  if (std::holds_alternative<LocalContext>(context)) {
    return solver::LocalSource{local_source_name(name)};
  }
  return timed_source(context);
}

std::string context_name(const std::string& name, const solver::SourceOp& source) {
  if (const auto* git = std::get_if<solver::GitSource>(&source)) {
    return git_name(*git);
  }
  const auto* http = std::get_if<solver::HttpSource>(&source);
  return fmt::format("[context {}] {}", name,
                     http == nullptr ? "load from client" : shown_url(http->url));
}

std::optional<solver::SourceOp> timed_source(const MainContext& context) {
  if (const auto* git = std::get_if<solver::GitSource>(&context)) {
    return *git;
  }
  const auto* http = std::get_if<solver::HttpSource>(&context);
  if (const auto* archive = std::get_if<ArchiveContext>(&context)) {
    http = std::get_if<solver::HttpSource>(&archive->archive);
  }
  return http == nullptr ? std::optional<solver::SourceOp>() : one_file(*http);
}

std::optional<solver::SourceOp> timed_source(const NamedContext& context) {
  if (const auto* git = std::get_if<solver::GitSource>(&context)) {
    return *git;
  }
  const auto* http = std::get_if<solver::HttpSource>(&context);
  return http == nullptr ? std::optional<solver::SourceOp>() : one_file(*http);
}

}  // namespace mybuild::frontend
