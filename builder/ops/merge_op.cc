// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/merge_op.h"

#include "builder/ops/trees.h"

namespace mybuild::ops {

namespace {

using solver::Output;
using solver::OutputId;
using solver::ResultPtr;

/// The layers of `top` on `lower`. Its id is what a step would have that changed `lower` in the
/// same way: a layer that starts from nothing changes whatever is below it in one way only.
Result<Output> put_on(Output lower, const TreeResult& top) {
  if (top.base) {
    return internal_error("a tree on an image cannot be put on another tree");
  }
  for (std::size_t i = 0; i < top.layers.size(); ++i) {
    const TreeResult* below = TRY(as_tree(lower.result));
    lower = with_layer(below, lower.id, top.layers[i], top.created[i]);
  }
  return lower;
}

class MergeOpRunner final : public solver::Op {
 public:
  explicit MergeOpRunner(const solver::Vertex& vertex) : vertex_(vertex) {}

  Lane lane() const override { return Lane::Disk; }
  bool is_direct() const override { return true; }
  std::string definition() const override { return solver::encode(vertex_.op); }
  solver::InputRule input_rule(std::size_t) const override { return solver::InputRule::Whole; }
  Result<Digest> content_digest(std::size_t, const ResultPtr&) override {
    return internal_error("a merge selects nothing of its inputs");
  }
  Result<std::optional<Output>> restore(const solver::CacheRecord&,
                                        const std::vector<ResultPtr>&) override {
    return std::optional<Output>();
  }

  Result<Output> exec(const std::vector<ResultPtr>& inputs, const std::vector<OutputId>& ids,
                      const Cancel&) override {
    TRY(as_tree(inputs.front()));
    Output merged{.id = ids.front(), .result = inputs.front(), .body = {}, .cacheable = false};
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const TreeResult* top = TRY(as_tree(inputs[i]));
      merged = TRY(put_on(std::move(merged), *top));
    }
    return merged;
  }

 private:
  const solver::Vertex& vertex_;
};

}  // namespace

std::unique_ptr<solver::Op> make_merge_op(const solver::Vertex& vertex) {
  return std::make_unique<MergeOpRunner>(vertex);
}

}  // namespace mybuild::ops
