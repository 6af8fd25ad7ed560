// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/op_table.h"

#include "builder/ops/exec_op.h"
#include "builder/ops/file_op.h"
#include "builder/ops/merge_op.h"
#include "builder/ops/source_op.h"

namespace mybuild::ops {

namespace {

struct MakeOp {
  const solver::Vertex& vertex;
  const OpDeps& deps;
  std::unique_ptr<solver::Op> operator()(const solver::SourceOp&) const {
    return make_source_op(vertex, deps);
  }
  std::unique_ptr<solver::Op> operator()(const solver::ExecOp&) const {
    return make_exec_op(vertex, deps);
  }
  std::unique_ptr<solver::Op> operator()(const solver::FileOp&) const {
    return make_file_op(vertex, deps);
  }
  std::unique_ptr<solver::Op> operator()(const solver::MergeOp&) const {
    return make_merge_op(vertex);
  }
};

}  // namespace

solver::OpTable make_op_table(const solver::Graph& graph, const OpDeps& deps) {
  solver::OpTable ops;
  ops.reserve(graph.vertices().size());
  for (const solver::Vertex& vertex : graph.vertices()) {
    ops.push_back(std::visit(MakeOp{vertex, deps}, vertex.op));
  }
  return ops;
}

}  // namespace mybuild::ops
