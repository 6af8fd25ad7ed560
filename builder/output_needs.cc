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

/// With other times in its layers a blob is made of what is in the store then.
bool takes_blobs(const OutputSpec& output) {
  return (is_archive(output) || is_pushed(output) || output.keep_blobs) &&
         !output.rewrite_timestamp;
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

/// Forms in which layers of the images leave the store.
std::vector<CompressionSpec> wanted_forms(std::span<const OutputSpec> outputs) {
  std::vector<CompressionSpec> forms;
  for (const OutputSpec& output : outputs) {
    if (takes_blobs(output)) {
      add_form(forms, output.compression);
    }
  }
  return forms;
}

/// Whether another step stands on the vertex or takes files from it, by index.
std::vector<bool> with_followers(const solver::Graph& graph) {
  std::vector<bool> has_follower(graph.vertices().size());
  for (const solver::Vertex& vertex : graph.vertices()) {
    if (std::holds_alternative<solver::MergeOp>(vertex.op)) {
      continue;  // it waits for nothing
    }
    for (const solver::Edge input : vertex.inputs) {
      has_follower[input.vertex] = true;
    }
  }
  return has_follower;
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

bool is_pushed(const OutputSpec& output) {
  return output.type == OutputType::Registry || (output.type == OutputType::Image && output.push);
}

OutputNeeds output_needs(const solver::Graph& graph, std::span<const solver::Edge> targets,
                         std::span<const OutputSpec> outputs) {
  OutputNeeds needs;
  needs.of_bases = parts_of_bases(outputs);
  const std::vector<CompressionSpec> forms = wanted_forms(outputs);
  const std::vector<bool> in_image = in_images(graph, targets);
  const std::vector<bool> has_follower = with_followers(graph);
  for (std::size_t i = 0; i < in_image.size(); ++i) {
    const solver::Vertex& vertex = graph.vertices()[i];
    if (in_image[i] && !forms.empty()) {
      needs.blobs.forms.emplace(vertex.id, forms);
    }
    if (in_image[i] && !has_follower[i]) {
      needs.blobs.last.insert(vertex.id);
    }
    if (in_image[i] && is_base(vertex)) {
      needs.bases.insert(vertex.id);
    }
  }
  return needs;
}

}  // namespace mybuild::builder
