// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/trees.h"

#include "snapshotter/base/json.h"
#include "solver/key.h"

namespace mybuild::ops {

using snapshotter::Layer;

Result<const TreeResult*> as_tree(const solver::ResultPtr& result) {
  if (result == nullptr) {
    return static_cast<const TreeResult*>(nullptr);
  }
  const auto* tree = dynamic_cast<const TreeResult*>(result.get());
  if (tree == nullptr) {
    return internal_error("a context stands where a file system is needed");
  }
  return tree;
}

namespace {

std::vector<Digest> diff_ids(const std::vector<Layer>& layers) {
  std::vector<Digest> ids;
  ids.reserve(layers.size());
  for (const Layer& layer : layers) {
    ids.push_back(layer.diff_id);
  }
  return ids;
}

/// The vertex of the image was done when its layers were known; it is shown again while they are
/// fetched.
Status fetch_base(const BaseImage& base, const OpDeps& deps) {
  deps.events.on_event(solver::VertexStarted{base.vertex, base.name, deps.clock.now()});
  Status fetched = deps.images.fetch_trees(base.id, base.vertex);
  std::optional<Error> error;
  if (!fetched) {
    error = fetched.error();
  }
  deps.events.on_event(solver::VertexDone{base.vertex, deps.clock.now(), std::move(error)});
  return fetched;
}

}  // namespace

Result<std::vector<std::string>> layer_dirs(const TreeResult* tree, const OpDeps& deps) {
  if (tree == nullptr) {
    return std::vector<std::string>{};
  }
  const std::vector<Digest> chain = diff_ids(tree->layers);
  std::optional<std::vector<std::string>> dirs = TRY(deps.layers.trees(chain));
  if (!dirs && tree->base) {
    TRY(fetch_base(*tree->base, deps));
    dirs = TRY(deps.layers.trees(chain));
  }
  if (!dirs) {
    return data_loss("a layer of an earlier step is no longer in the store")
        .with_hint("it was removed or damaged while this build ran; build again");
  }
  return std::move(*dirs);
}

Result<std::unique_ptr<snapshotter::TreeView>> open_tree(const TreeResult* tree,
                                                         const OpDeps& deps) {
  const std::vector<std::string> dirs = TRY(layer_dirs(tree, deps));
  return snapshotter::open_layered_view(dirs);
}

Result<View> open_view(const solver::ResultPtr& result, const OpDeps& deps) {
  View view;
  if (const auto* context = dynamic_cast<const ContextResult*>(result.get())) {
    view.view = context->view.get();
    return view;
  }
  const TreeResult* tree = TRY(as_tree(result));
  view.owned = TRY(open_tree(tree, deps));
  view.view = view.owned.get();
  return view;
}

solver::Output with_layer(const TreeResult* parent, const solver::OutputId& parent_id,
                          const Layer& layer, Time created) {
  auto tree = std::make_shared<TreeResult>();
  if (parent != nullptr) {
    tree->layers = parent->layers;
    tree->base = parent->base;
    tree->created = parent->created;
  }
  tree->layers.push_back(layer);
  tree->created.push_back(created);
  const Json body = {{"diff_id", layer.diff_id.str()},
                     {"changes", layer.changes.value_or(Digest{}).str()},
                     {"size", layer.size},
                     {"created", format_rfc3339(created)}};
  return solver::Output{.id = solver::output_id(parent_id, layer.changes.value_or(Digest{})),
                        .result = std::move(tree),
                        .body = canonical_dump(body)};
}

namespace {

struct StepLayer {
  Layer layer;
  Time created{};
};

Result<StepLayer> parse_body(const std::string& body) {
  const Json json = TRY(parse_json(body));
  const JsonField root(json, "");
  const JsonField diff_field = TRY(root.field("diff_id"));
  const JsonField changes_field = TRY(root.field("changes"));
  const JsonField size_field = TRY(root.field("size"));
  const JsonField created_field = TRY(root.field("created"));
  const std::string diff_text = TRY(diff_field.string());
  const std::string changes_text = TRY(changes_field.string());
  const std::string created_text = TRY(created_field.string());
  StepLayer step;
  step.layer.diff_id = TRY(Digest::parse(diff_text));
  step.layer.changes = TRY(Digest::parse(changes_text));
  step.layer.size = static_cast<std::uint64_t>(TRY(size_field.integer()));
  step.created = TRY(parse_rfc3339(created_text));
  return step;
}

}  // namespace

Result<std::optional<solver::Output>> restore_layer(const solver::CacheRecord& record,
                                                    const TreeResult* parent, const OpDeps& deps) {
  const Result<StepLayer> step = parse_body(record.body);
  if (!step) {
    return std::optional<solver::Output>();  // written by another version, or damaged: a miss
  }
  if (!TRY(deps.layers.tree(std::span(&step->layer.diff_id, 1)))) {
    return std::optional<solver::Output>();
  }
  solver::Output output = with_layer(parent, solver::OutputId{}, step->layer, step->created);
  output.id = record.output;
  return std::optional(std::move(output));
}

}  // namespace mybuild::ops
