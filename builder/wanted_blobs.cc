// SPDX-License-Identifier: Apache-2.0
#include "builder/wanted_blobs.h"

#include <algorithm>
#include <vector>

namespace mybuild::builder {

namespace {

using exporter::OutputSpec;
using exporter::OutputType;
using snapshotter::CompressionSpec;

/// The inputs whose layers are part of the result.
std::span<const solver::Edge> parents(const solver::Vertex& vertex) {
  const std::span<const solver::Edge> inputs = vertex.inputs;
  if (std::holds_alternative<solver::MergeOp>(vertex.op)) {
    return inputs;
  }
  const auto* command = std::get_if<solver::ExecOp>(&vertex.op);
  const auto* files = std::get_if<solver::FileOp>(&vertex.op);
  const bool has_parent =
      (command != nullptr && command->has_root) || (files != nullptr && files->has_base);
  return inputs.first(has_parent ? 1 : 0);
}

/// Whether a layer of the vertex is in an image, by index.
std::vector<bool> in_images(const solver::Graph& graph, std::span<const solver::Edge> targets) {
  const std::span<const solver::Vertex> vertices = graph.vertices();
  std::vector<bool> in_image(vertices.size());
  for (const solver::Edge target : targets) {
    in_image[target.vertex] = true;
  }
  for (std::size_t i = vertices.size(); i-- > 0;) {  // inputs come before what uses them
    if (in_image[i]) {
      for (const solver::Edge parent : parents(vertices[i])) {
        in_image[parent.vertex] = true;
      }
    }
  }
  return in_image;
}

/// With other times in its layers a blob is made of what is in the store then.
bool takes_blobs(const OutputSpec& output) {
  const bool is_archive =
      output.type == OutputType::Oci || (output.type == OutputType::Docker && !output.dest.empty());
  const bool is_pushed =
      output.type == OutputType::Registry || (output.type == OutputType::Image && output.push);
  return (is_archive || is_pushed) && !output.rewrite_timestamp;
}

/// Of equal forms the first stays; `force` says something of layers from outside only.
void add_form(std::vector<CompressionSpec>& forms, CompressionSpec form) {
  form.force = false;
  if (std::find(forms.begin(), forms.end(), form) == forms.end()) {
    forms.push_back(form);
  }
}

}  // namespace

ops::WantedBlobs wanted_blobs(const solver::Graph& graph, std::span<const solver::Edge> targets,
                              const BlobUsers& users) {
  std::vector<CompressionSpec> of_all;
  std::vector<CompressionSpec> of_images;
  for (const remote_cache::CacheTarget& cache : users.caches) {
    if (cache.type != remote_cache::CacheTarget::Type::Inline) {
      add_form(cache.max ? of_all : of_images, cache.compression);
    }
  }
  for (const OutputSpec& output : users.outputs) {
    if (takes_blobs(output)) {
      add_form(of_images, output.compression);
    }
  }
  for (const CompressionSpec& form : of_all) {
    add_form(of_images, form);
  }
  ops::WantedBlobs wanted;
  const std::vector<bool> in_image = in_images(graph, targets);
  for (std::size_t i = 0; i < in_image.size(); ++i) {
    const std::vector<CompressionSpec>& forms = in_image[i] ? of_images : of_all;
    if (!forms.empty()) {
      wanted.forms.emplace(graph.vertices()[i].id, forms);
    }
  }
  return wanted;
}

}  // namespace mybuild::builder
