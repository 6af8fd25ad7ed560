// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/exported_steps.h"

#include "builder/ops/result.h"
#include "builder/ops/trees.h"
#include "snapshotter/base/json.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace mybuild::remote_cache {

namespace {

using snapshotter::Layer;
using solver::VertexOutcome;

/// A step has a body; what is direct (sources, merges) has none.
bool is_step(const VertexOutcome& outcome) {
  return outcome.output && !outcome.output->body.empty() &&
         !outcome.keys.definition.digest.is_zero();
}

auto order_of(const CachedRecord& record) {
  return std::tie(record.definition, record.content, record.inputs);
}

void sort_steps(std::vector<ExportedStep>& steps) {
  std::sort(steps.begin(), steps.end(), [](const ExportedStep& a, const ExportedStep& b) {
    return order_of(a.record) < order_of(b.record);
  });
  // Equal steps of two platforms, say.
  steps.erase(std::unique(steps.begin(), steps.end(),
                          [](const ExportedStep& a, const ExportedStep& b) {
                            return order_of(a.record) == order_of(b.record);
                          }),
              steps.end());
}

Result<solver::ContentKey> content_of(const VertexOutcome& outcome, solver::CacheIndex& store) {
  if (!outcome.keys.content.digest.is_zero()) {
    return outcome.keys.content;
  }
  const auto answers = TRY(store.find_all(std::span(&outcome.keys.definition, 1)));
  for (const solver::CacheRecord& record : answers.front()) {
    if (record.inputs == outcome.keys.record_inputs && record.output == outcome.output->id) {
      return record.content;
    }
  }
  return solver::ContentKey();
}

/// The place of a layer among those of an image; their number if it is not there.
std::size_t number_of(const Digest& diff_id, std::span<const Layer> layers) {
  const auto place = std::find_if(layers.begin(), layers.end(),
                                  [&](const Layer& layer) { return layer.diff_id == diff_id; });
  return static_cast<std::size_t>(place - layers.begin());
}

CacheDocument document_of(const std::vector<ExportedStep>& steps, std::vector<CachedLayer> layers,
                          const std::map<Digest, std::size_t>& places) {
  CacheDocument document;
  document.layers = std::move(layers);
  for (const ExportedStep& step : steps) {
    const std::size_t layer = places.at(step.layer.diff_id);
    document.layers[layer].changes = step.layer.changes.value_or(Digest{});
    document.layers[layer].size = step.layer.size;
    document.layers[layer].created = step.created;
    document.records.push_back(step.record);
    document.records.back().layer = layer;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CachedRecord& record = document.records[i];
    if (steps[i].created != document.layers[record.layer].created) {
      record.created = steps[i].created;
    }
  }
  return document;
}

}  // namespace

Result<std::vector<ExportedStep>> steps_of(const solver::SolveResult& solved,
                                           solver::CacheIndex& store) {
  std::vector<ExportedStep> steps;
  for (const VertexOutcome& outcome : solved.vertices) {
    if (!is_step(outcome)) {
      continue;
    }
    const ops::TreeResult* tree = TRY(ops::as_tree(outcome.output->result));
    const solver::ContentKey content = TRY(content_of(outcome, store));
    steps.push_back({.record = {.definition = outcome.keys.definition,
                                .content = content,
                                .inputs = outcome.keys.record_inputs},
                     .layer = tree->layers.back(),
                     .created = tree->created.back()});
  }
  sort_steps(steps);
  return steps;
}

std::vector<ExportedStep> with_layers_in(std::vector<ExportedStep> steps,
                                         std::span<const Layer> layers) {
  for (ExportedStep& step : steps) {
    if (number_of(step.layer.diff_id, layers) == layers.size()) {
      step.layer.blob = no_blob(step.layer.diff_id);
    }
  }
  return steps;
}

std::vector<Layer> layers_of(const std::vector<ExportedStep>& steps) {
  std::map<Digest, Layer> different;
  for (const ExportedStep& step : steps) {
    const auto [place, is_new] = different.emplace(step.layer.diff_id, step.layer);
    if (!is_new && place->second.blob && is_no_blob(*place->second.blob)) {
      place->second = step.layer;
    }
  }
  std::vector<Layer> layers;
  for (auto& [diff_id, layer] : different) {
    layers.push_back(std::move(layer));
  }
  return layers;
}

CacheDocument make_document(const std::vector<ExportedStep>& steps,
                            const std::vector<oci::Descriptor>& blobs) {
  std::vector<CachedLayer> layers;
  std::map<Digest, std::size_t> places;
  for (const Layer& layer : layers_of(steps)) {
    places.emplace(layer.diff_id, layers.size());
    CachedLayer& cached = layers.emplace_back();
    cached.place = CachedLayer::Place{.diff_id = layer.diff_id, .blob = blobs[layers.size() - 1]};
  }
  return document_of(steps, std::move(layers), places);
}

std::string inline_cache(const std::vector<ExportedStep>& steps, std::span<const Layer> layers) {
  std::vector<CachedLayer> cached;
  std::map<Digest, std::size_t> places;
  bool is_any_in_image = false;
  for (const Layer& layer : layers_of(steps)) {
    places.emplace(layer.diff_id, cached.size());
    CachedLayer& entry = cached.emplace_back();
    entry.image_layer = number_of(layer.diff_id, layers);
    if (entry.image_layer == layers.size()) {
      entry.place = CachedLayer::Place{.diff_id = layer.diff_id, .blob = no_blob(layer.diff_id)};
    }
    is_any_in_image = is_any_in_image || !entry.place;
  }
  if (!is_any_in_image) {
    return {};
  }
  const std::string document = dump(document_of(steps, std::move(cached), places));
  return fmt::format("{{\"{}\":{}}}", kInlineField, document);
}

Status keep_proven(const solver::SolveResult& solved, snapshotter::Metadata& metadata,
                   snapshotter::LayerStore& layers, solver::CacheIndex& store,
                   const Vouched& vouched) {
  std::vector<solver::CacheRecord> proven;
  for (const VertexOutcome& outcome : solved.vertices) {
    if (!is_step(outcome) || outcome.output->cacheable) {
      continue;
    }
    const ops::TreeResult* tree = TRY(ops::as_tree(outcome.output->result));
    const Layer& layer = tree->layers.back();
    const auto row = TRY(metadata.find_layer(layer.diff_id));
    if (!row || row->changes != layer.changes || !TRY(layers.tree(std::span(&layer.diff_id, 1)))) {
      continue;
    }
    ops::StepLayer step{.layer = layer, .created = tree->created.back()};
    step.layer.size = row->size;
    solver::Output output = *outcome.output;
    output.body = ops::dump_body(step);
    solver::CacheRecord record = solver::make_record(outcome.keys, output);
    if (vouched.domain && vouched.is_layer && vouched.is_layer(layer.diff_id)) {
      record.definition = vouched_key(*vouched.domain, record.definition);
      record.content = {};
    }
    proven.push_back(std::move(record));
  }
  return store.add_all(proven);
}

}  // namespace mybuild::remote_cache
