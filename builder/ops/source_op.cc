// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/source_op.h"

#include "builder/ops/result.h"
#include "builder/source/local_context.h"
#include "frontend/remote/http_url.h"

namespace mybuild::ops {

namespace {

using solver::ResultPtr;

/// What all sources have in common: no inputs, nothing to look up.
class SourceRunner : public solver::Op {
 public:
  explicit SourceRunner(const solver::Vertex& vertex) : vertex_(vertex) {}
  Lane lane() const override { return Lane::Disk; }
  bool is_direct() const override { return true; }
  std::string definition() const override { return solver::encode(vertex_.op); }
  solver::InputRule input_rule(std::size_t) const override { return solver::InputRule::Whole; }
  Result<Digest> content_digest(std::size_t, const ResultPtr&) override {
    return internal_error("a source has no inputs");
  }
  Result<std::optional<solver::Output>> restore(const solver::CacheRecord&,
                                                const std::vector<ResultPtr>&) override {
    return std::optional<solver::Output>();
  }

 protected:
  const solver::Vertex& vertex_;
};

class ImageSourceOp final : public SourceRunner {
 public:
  ImageSourceOp(const solver::Vertex& vertex, const solver::ImageSource& source, const OpDeps& deps)
      : SourceRunner(vertex), source_(source), deps_(deps) {}

  Result<solver::Output> exec(const std::vector<ResultPtr>&, const std::vector<solver::OutputId>&,
                              const Cancel&) override {
    auto tree = std::make_shared<TreeResult>();
    tree->id = solver::OutputId{source_.chain};
    tree->layers = TRY(deps_.images.layers(source_.manifest));
    tree->base = BaseImage{.id = source_.manifest,
                           .layers = tree->layers.size(),
                           .vertex = vertex_.id,
                           .name = vertex_.meta.name};
    if (deps_.prefetch != nullptr && !TRY(is_here(tree->layers))) {
      deps_.prefetch->begin(*tree->base);
    }
    return solver::Output{.id = solver::OutputId{source_.chain},
                          .result = std::move(tree),
                          .body = {},
                          .cacheable = false};
  }

 private:
  Result<bool> is_here(const std::vector<snapshotter::Layer>& layers) const {
    std::vector<Digest> chain;
    for (const snapshotter::Layer& layer : layers) {
      chain.push_back(layer.diff_id);
    }
    const std::optional<std::string> top = TRY(deps_.layers.tree(chain));
    return top.has_value();
  }

  const solver::ImageSource& source_;
  const OpDeps& deps_;
};

solver::Output as_output(source::SourceTree tree, const std::string& name) {
  auto context = std::make_shared<ContextResult>();
  context->name = name;
  context->view = std::move(tree.view);
  return solver::Output{.id = solver::OutputId{tree.id},
                        .result = std::move(context),
                        .body = {},
                        .cacheable = false};
}

/// A directory has no identity as a whole (the zero id): in keys it stands as what a step selects
/// of it.
class LocalSourceOp final : public SourceRunner {
 public:
  LocalSourceOp(const solver::Vertex& vertex, const solver::LocalSource& source, const OpDeps& deps)
      : SourceRunner(vertex), source_(source), deps_(deps) {}

  Result<solver::Output> exec(const std::vector<ResultPtr>&, const std::vector<solver::OutputId>&,
                              const Cancel&) override {
    if (const auto tree = deps_.trees.find(source_.name); tree != deps_.trees.end()) {
      return as_output(tree->second, source_.name);
    }
    const auto directory = deps_.directories.find(source_.name);
    if (directory == deps_.directories.end()) {
      return internal_error("no directory for the context {}", source_.name);
    }
    source::SourceTree tree;
    tree.view = TRY(source::open_local_context(directory->second.path, directory->second.ignore,
                                               deps_.contents));
    return as_output(std::move(tree), source_.name);
  }

 private:
  const solver::LocalSource& source_;
  const OpDeps& deps_;
};

/// Asks the server what the source is now; the files of a commit are fetched when a step needs
/// them.
template <class Source, class Sources>
class RemoteSourceOp final : public SourceRunner {
 public:
  RemoteSourceOp(const solver::Vertex& vertex, const Source& source, std::string name,
                 Sources& sources)
      : SourceRunner(vertex), source_(source), name_(std::move(name)), sources_(sources) {}

  Lane lane() const override { return Lane::Net; }
  Result<solver::Output> exec(const std::vector<ResultPtr>&, const std::vector<solver::OutputId>&,
                              const Cancel& cancel) override {
    auto tree = TRY(sources_.open(source_, vertex_.id, cancel));
    return as_output(std::move(tree), name_);
  }

 private:
  const Source& source_;
  const std::string name_;
  Sources& sources_;
};

struct MakeSourceOp {
  const solver::Vertex& vertex;
  const OpDeps& deps;

  std::unique_ptr<solver::Op> operator()(const solver::ImageSource& image) const {
    return std::make_unique<ImageSourceOp>(vertex, image, deps);
  }
  std::unique_ptr<solver::Op> operator()(const solver::LocalSource& local) const {
    return std::make_unique<LocalSourceOp>(vertex, local, deps);
  }
  std::unique_ptr<solver::Op> operator()(const solver::HttpSource& http) const {
    return std::make_unique<RemoteSourceOp<solver::HttpSource, source::HttpSources>>(
        vertex, http, frontend::shown_url(http.url), deps.files);
  }
  std::unique_ptr<solver::Op> operator()(const solver::GitSource& git) const {
    return std::make_unique<RemoteSourceOp<solver::GitSource, source::GitSources>>(
        vertex, git, frontend::shown_url(git.remote), deps.commits);
  }
};

}  // namespace

std::unique_ptr<solver::Op> make_source_op(const solver::Vertex& vertex, const OpDeps& deps) {
  return std::visit(MakeSourceOp{vertex, deps}, std::get<solver::SourceOp>(vertex.op));
}

}  // namespace mybuild::ops
