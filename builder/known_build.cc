// SPDX-License-Identifier: Apache-2.0
#include "builder/known_build.h"

#include "snapshotter/base/json.h"
#include "solver/key.h"

#include <algorithm>

namespace mybuild::builder {

namespace {

using exporter::OutputSpec;
using solver::KeyInput;

/// Docker's own store gets it from ours.
bool is_local_store(const std::vector<OutputSpec>& outputs) {
  if (outputs.empty()) {
    return true;
  }
  const OutputSpec& spec = outputs.front();
  const bool others = std::any_of(outputs.begin() + 1, outputs.end(), [](const OutputSpec& other) {
    return other.type != exporter::OutputType::Docker || !other.dest.empty();
  });
  return !others && spec.type == exporter::OutputType::Image && !spec.push && spec.store &&
         !spec.keep_blobs && !spec.rewrite_timestamp && spec.annotations.empty();
}

/// What the row remembers: the image and the layers that it needs, lowest first.
std::string encode(const exporter::BuiltImage& image, const Digest& config) {
  Json layers = Json::array();
  for (const snapshotter::Layer& layer : image.layers) {
    layers.push_back(layer.diff_id.str());
  }
  return canonical_dump(Json{{"config", config.str()}, {"layers", std::move(layers)}});
}

bool is_forced(const solver::Graph& graph, const solver::SolveResult& solved) {
  for (std::size_t i = 0; i < solved.vertices.size(); ++i) {
    if (graph.vertices()[i].meta.ignore_cache && solved.vertices[i].output) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::unique_ptr<KnownBuild> KnownBuild::of(const BuildRequest& request,
                                           const frontend::FrontendOutput& lowered,
                                           const KnownBuildDeps& deps,
                                           const remote_cache::TrustDomain& domain) {
  // Who exports a cache wants the steps one by one.
  if (!is_local_store(request.outputs) || !request.cache_to.empty() ||
      lowered.targets.size() != 1 || !lowered.targets.front().root) {
    return nullptr;
  }
  return std::unique_ptr<KnownBuild>(new KnownBuild(request, lowered, deps, domain));
}

Digest KnownBuild::key_of(std::span<const KeyInput> targets) const {
  const frontend::Target& target = lowered_.targets.front();
  std::optional<std::int64_t> epoch = lowered_.source_date_epoch;
  if (!request_.outputs.empty() && request_.outputs.front().source_date_epoch) {
    epoch = request_.outputs.front().source_date_epoch;
  }
  solver::KeyBuilder key("mybuild.build.v1");
  key.add_number(targets.size());
  for (const KeyInput& input : targets) {
    key.add_number(static_cast<std::uint64_t>(input.kind)).add(input.digest);
  }
  key.add(oci::to_string(target.platform)).add(oci::dump(target.config));
  key.add(epoch ? std::to_string(*epoch) : "");
  if (domain_) {
    key.add(*domain_);
  }
  return key.finish();
}

bool KnownBuild::is_known(std::span<const KeyInput> targets) {
  return find(key_of(targets)).value_or(false);
}

Result<bool> KnownBuild::find(const Digest& key) {
  const std::optional<std::string> body = TRY(deps_.metadata.find_known_build(key));
  if (!body) {
    return false;
  }
  const Json json = TRY(parse_json(*body));
  const JsonField root(json, "");
  const JsonField config_field = TRY(root.field("config"));
  const JsonField layers_field = TRY(root.field("layers"));
  const std::string config_text = TRY(config_field.string());
  const Digest config = TRY(Digest::parse(config_text));
  std::vector<Digest> chain;
  for (const std::string& text : TRY(layers_field.strings())) {
    const Digest layer = TRY(Digest::parse(text));
    chain.push_back(layer);
  }
  // Somebody may have removed the image, or a part of it.
  const std::vector<snapshotter::ImageRow> rows = TRY(deps_.metadata.find_images_by_config(config));
  const auto blob = TRY(deps_.content.stat(config));
  if (rows.empty() || !blob) {
    return false;
  }
  for (std::size_t count = 1; count <= chain.size(); ++count) {
    if (!TRY(deps_.layers.tree(std::span(chain).first(count)))) {
      return false;
    }
  }
  image_ = rows.front();
  return true;
}

Status KnownBuild::remember(const solver::SolveResult& solved, const exporter::BuiltImage& image,
                            const Digest& config) {
  if (is_forced(lowered_.graph, solved)) {
    TRY(deps_.metadata.forget_known_builds());
  }
  const solver::VertexIndex target = lowered_.targets.front().root->vertex;
  const solver::VertexOutcome& outcome = solved.vertices[target];
  const bool is_source =
      lowered_.graph.vertices()[target].inputs.empty() &&
      std::holds_alternative<solver::SourceOp>(lowered_.graph.vertices()[target].op);
  const KeyInput key = is_source
                           ? KeyInput{KeyInput::Kind::Output, outcome.output->id.digest}
                           : KeyInput{KeyInput::Kind::Definition, outcome.keys.definition.digest};
  return deps_.metadata.put_known_build(key_of({&key, 1}), encode(image, config));
}

}  // namespace mybuild::builder
