// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/merge_op.h"

#include "builder/ops/result.h"
#include "solver/key.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace mybuild::ops {
namespace {

using solver::OutputId;

snapshotter::Layer layer(const std::string& name) {
  snapshotter::Layer made;
  made.diff_id = Digest::of(name);
  made.changes = Digest::of("changes of " + name);
  return made;
}

std::shared_ptr<TreeResult> tree(std::initializer_list<const char*> names) {
  auto made = std::make_shared<TreeResult>();
  for (const char* name : names) {
    made->layers.push_back(layer(name));
    made->created.push_back(Time(std::chrono::seconds(made->layers.size())));
  }
  return made;
}

class MergeOpTest : public testing::Test {
 protected:
  Result<solver::Output> merge(const std::vector<solver::ResultPtr>& inputs) {
    std::vector<OutputId> ids;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ids.push_back(OutputId{Digest::of("input " + std::to_string(i))});
    }
    const Cancel cancel;
    return make_merge_op(vertex_)->exec(inputs, ids, cancel);
  }
  static std::vector<Digest> layers_of(const solver::ResultPtr& result) {
    std::vector<Digest> ids;
    for (const auto& one : static_cast<const TreeResult&>(*result).layers) {
      ids.push_back(one.diff_id);
    }
    return ids;
  }

  solver::Vertex vertex_{
      .id = {}, .op = solver::MergeOp(), .inputs = {}, .platform = {}, .meta = {}};
};

TEST_F(MergeOpTest, LayersAreStackedInOrderWithTheirTimes) {
  const auto base = tree({"base", "run"});
  base->base = BaseImage{.id = {}, .layers = 1, .vertex = {}, .name = "image"};
  base->created.resize(1);
  const auto output = merge({base, tree({"one"}), tree({"two"})});
  ASSERT_TRUE(output) << output.error().message();
  EXPECT_EQ(layers_of(output->result), layers_of(tree({"base", "run", "one", "two"})));
  const auto& merged = static_cast<const TreeResult&>(*output->result);
  EXPECT_EQ(merged.base->name, "image");
  EXPECT_EQ(merged.created.size(), 3U);
  EXPECT_EQ(base->layers.size(), 2U) << "inputs are shared, and stay";
}

TEST_F(MergeOpTest, TheIdIsThatOfAStepWithTheSameChanges) {
  const auto output = merge({tree({"base"}), tree({"one"})});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->id.digest,
            solver::output_id({Digest::of("input 0")}, *layer("one").changes).digest);
  EXPECT_NE(output->id.digest, merge({tree({"base"}), tree({"two"})})->id.digest);
  EXPECT_NE(merge({tree({"base"}), tree({"one"}), tree({"two"})})->id.digest,
            merge({tree({"base"}), tree({"two"}), tree({"one"})})->id.digest);
}

TEST_F(MergeOpTest, ATreeOnAnImageAndAContextAreRefused) {
  const auto image = tree({"other"});
  image->base = BaseImage{.id = {}, .layers = 1, .vertex = {}, .name = "other"};
  EXPECT_FALSE(merge({tree({"base"}), image}));
  EXPECT_FALSE(merge({std::make_shared<ContextResult>(), tree({"one"})}));
}

TEST_F(MergeOpTest, NothingIsLookedUpForIt) {
  EXPECT_TRUE(make_merge_op(vertex_)->is_direct());
}

}  // namespace
}  // namespace mybuild::ops
