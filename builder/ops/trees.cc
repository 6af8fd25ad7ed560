// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/trees.h"

#include "snapshotter/base/json.h"
#include "solver/key.h"

#include <algorithm>

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

/// Layers of an imported cache must be looked at before anything is read from them.
bool is_unproven(const TreeResult& tree) {
  const auto first =
      tree.layers.begin() + static_cast<std::ptrdiff_t>(tree.base ? tree.base->layers : 0);
  return std::any_of(first, tree.layers.end(),
                     [](const Layer& layer) { return layer.blob.has_value(); });
}

std::vector<Digest> diff_ids(std::span<const Layer> layers) {
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

/// The base and what caches have above it come from different places, so at once.
Status fetch_missing(const TreeResult& tree, const OpDeps& deps) {
  const std::span<const Layer> layers(tree.layers);
  const std::size_t base = tree.base ? tree.base->layers : 0;
  const bool is_base_here = !tree.base || TRY(deps.layers.trees(diff_ids(layers.first(base))));
  if (deps.remote_layers == nullptr) {
    return is_base_here ? Status() : fetch_base(*tree.base, deps);
  }
  return deps.lanes.fan_out(Lane::Net, 2, [&](std::size_t part) {
    return part == 1      ? deps.remote_layers->fetch_trees(layers.subspan(base))
           : is_base_here ? Status()
                          : fetch_base(*tree.base, deps);
  });
}

}  // namespace

Result<std::vector<std::string>> layer_dirs(const TreeResult* tree, const OpDeps& deps) {
  if (tree == nullptr) {
    return std::vector<std::string>{};
  }
  const std::vector<Digest> chain = diff_ids(tree->layers);
  std::optional<std::vector<std::string>> dirs;
  if (!is_unproven(*tree)) {
    dirs = TRY(deps.layers.trees(chain));
  }
  if (!dirs) {
    TRY(fetch_missing(*tree, deps));
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

namespace {

solver::Output put_on(const TreeResult* parent, const solver::OutputId& id, const StepLayer& step) {
  auto tree = std::make_shared<TreeResult>();
  if (parent != nullptr) {
    *tree = *parent;
  }
  tree->id = id;
  tree->layers.push_back(step.layer);
  tree->created.push_back(step.created);
  return solver::Output{.id = id, .result = std::move(tree), .body = dump_body(step)};
}

}  // namespace

solver::Output with_layer(const TreeResult* parent, const solver::OutputId& parent_id,
                          const Layer& layer, Time created) {
  return put_on(parent, solver::output_id(parent_id, layer.changes.value_or(Digest{})),
                {.layer = layer, .created = created});
}

std::string dump_body(const StepLayer& step) {
  return canonical_dump(Json{{"diff_id", step.layer.diff_id.str()},
                             {"changes", step.layer.changes.value_or(Digest{}).str()},
                             {"size", step.layer.size},
                             {"created", format_rfc3339(step.created)}});
}

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

namespace {

/// Whoever made the record may say what he likes of its output: the id is made from this build's
/// parent, and from the changes that the layer is compared with before it is used.
Result<std::optional<solver::Output>> restore_imported(StepLayer step, const TreeResult* parent,
                                                       const solver::Vertex& vertex,
                                                       const OpDeps& deps) {
  if (deps.remote_layers == nullptr) {
    return std::optional<solver::Output>();
  }
  std::optional<Layer> layer =
      TRY(deps.remote_layers->find(step.layer, {.id = vertex.id, .name = vertex.meta.name}));
  if (!layer) {
    return std::optional<solver::Output>();
  }
  solver::Output output =
      with_layer(parent, parent == nullptr ? solver::OutputId{} : parent->id, *layer, step.created);
  output.cacheable = false;
  return std::optional(std::move(output));
}

}  // namespace

Result<std::optional<solver::Output>> restore_layer(const solver::CacheRecord& record,
                                                    const TreeResult* parent,
                                                    const solver::Vertex& vertex,
                                                    const OpDeps& deps) {
  Result<StepLayer> step = parse_body(record.body);
  if (!step) {
    return std::optional<solver::Output>();  // written by another version, or damaged: a miss
  }
  if (record.is_imported) {
    return restore_imported(std::move(*step), parent, vertex, deps);
  }
  if (!TRY(deps.layers.tree(std::span(&step->layer.diff_id, 1)))) {
    return std::optional<solver::Output>();
  }
  return std::optional(put_on(parent, record.output, *step));
}

}  // namespace mybuild::ops
