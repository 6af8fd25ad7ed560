// SPDX-License-Identifier: Apache-2.0
#include "builder/output_needs.h"

#include <algorithm>
#include <vector>

namespace mybuild::builder {

namespace {

using exporter::OutputSpec;
using exporter::OutputType;
using snapshotter::CompressionSpec;
using Part = ops::BasePrefetch::Part;

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

bool is_base(const solver::Vertex& vertex) {
  const auto* source = std::get_if<solver::SourceOp>(&vertex.op);
  return source != nullptr && std::holds_alternative<solver::ImageSource>(*source);
}

bool is_archive(const OutputSpec& output) {
  return output.type == OutputType::Oci ||
         (output.type == OutputType::Docker && !output.dest.empty());
}

bool is_pushed(const OutputSpec& output) {
  return output.type == OutputType::Registry || (output.type == OutputType::Image && output.push);
}

/// With other times in its layers a blob is made of what is in the store then.
bool takes_blobs(const OutputSpec& output) {
  return (is_archive(output) || is_pushed(output)) && !output.rewrite_timestamp;
}

bool takes_trees(const OutputSpec& output) {
  return output.type == OutputType::Local || output.type == OutputType::Tar ||
         (output.type == OutputType::Image && output.store);
}

/// Of equal forms the first stays; `force` says something of layers from outside only.
void add_form(std::vector<CompressionSpec>& forms, CompressionSpec form) {
  form.force = false;
  if (std::find(forms.begin(), forms.end(), form) == forms.end()) {
    forms.push_back(form);
  }
}

struct Forms {
  std::vector<CompressionSpec> of_all;
  std::vector<CompressionSpec> of_images;
};

Forms wanted_forms(const Destinations& destinations) {
  Forms forms;
  for (const remote_cache::CacheTarget& cache : destinations.caches) {
    if (cache.type != remote_cache::CacheTarget::Type::Inline) {
      add_form(cache.max ? forms.of_all : forms.of_images, cache.compression);
    }
  }
  for (const OutputSpec& output : destinations.outputs) {
    if (takes_blobs(output)) {
      add_form(forms.of_images, output.compression);
    }
  }
  for (const CompressionSpec& form : forms.of_all) {
    add_form(forms.of_images, form);
  }
  return forms;
}

/// A registry that the image is sent to may have its base already.
std::set<Part> parts_of_bases(std::span<const OutputSpec> outputs) {
  std::set<Part> parts;
  for (const OutputSpec& output : outputs) {
    if (takes_trees(output)) {
      parts.insert(Part::Trees);
    } else if (is_archive(output)) {
      parts.insert(Part::Blobs);
    }
  }
  return parts;
}

}  // namespace

OutputNeeds output_needs(const solver::Graph& graph, std::span<const solver::Edge> targets,
                         const Destinations& destinations) {
  OutputNeeds needs;
  needs.of_bases = parts_of_bases(destinations.outputs);
  const Forms forms = wanted_forms(destinations);
  const std::vector<bool> in_image = in_images(graph, targets);
  for (std::size_t i = 0; i < in_image.size(); ++i) {
    const solver::Vertex& vertex = graph.vertices()[i];
    const std::vector<CompressionSpec>& wanted = in_image[i] ? forms.of_images : forms.of_all;
    if (!wanted.empty()) {
      needs.blobs.forms.emplace(vertex.id, wanted);
    }
    if (in_image[i] && is_base(vertex)) {
      needs.bases.insert(vertex.id);
    }
  }
  return needs;
}

}  // namespace mybuild::builder
