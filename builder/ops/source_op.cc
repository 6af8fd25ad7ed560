// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/source_op.h"

#include "builder/ops/result.h"
#include "builder/source/local_context.h"

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
    tree->layers = TRY(deps_.images.layers(source_.manifest));
    tree->base =
        BaseImage{.id = source_.manifest, .layers = tree->layers.size(), .vertex = vertex_.id, .name = vertex_.meta.name};
    return solver::Output{.id = solver::OutputId{source_.chain},
                          .result = std::move(tree),
                          .body = {},
                          .cacheable = false};
  }

 private:
  const solver::ImageSource& source_;
  const OpDeps& deps_;
};

/// Has no identity as a whole (the zero id): in keys it stands as what a step selects of it.
class LocalSourceOp final : public SourceRunner {
 public:
  LocalSourceOp(const solver::Vertex& vertex, const solver::LocalSource& source, const OpDeps& deps)
      : SourceRunner(vertex), source_(source), deps_(deps) {}

  Result<solver::Output> exec(const std::vector<ResultPtr>&, const std::vector<solver::OutputId>&,
                              const Cancel&) override {
    const auto directory = deps_.directories.find(source_.name);
    if (directory == deps_.directories.end()) {
      return internal_error("no directory for the context {}", source_.name);
    }
    auto context = std::make_shared<ContextResult>();
    context->name = source_.name;
    context->view =
        TRY(source::open_local_context(directory->second.path, directory->second.ignore));
    return solver::Output{
        .id = solver::OutputId{}, .result = std::move(context), .body = {}, .cacheable = false};
  }

 private:
  const solver::LocalSource& source_;
  const OpDeps& deps_;
};

}  // namespace

std::unique_ptr<solver::Op> make_source_op(const solver::Vertex& vertex, const OpDeps& deps) {
  const auto& source = std::get<solver::SourceOp>(vertex.op);
  if (const auto* image = std::get_if<solver::ImageSource>(&source)) {
    return std::make_unique<ImageSourceOp>(vertex, *image, deps);
  }
  return std::make_unique<LocalSourceOp>(vertex, std::get<solver::LocalSource>(source), deps);
}

}  // namespace mybuild::ops
