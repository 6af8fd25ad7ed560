// SPDX-License-Identifier: Apache-2.0
// What the outputs of a build will need whatever its steps do, as far as the graph tells: so that
// it can be made on the way. Pure; thread-safe.
#pragma once

#include "builder/export/exporter.h"
#include "builder/ops/base_prefetch.h"
#include "builder/ops/wanted_blobs.h"

#include <set>
#include <span>

namespace mybuild::builder {

struct OutputNeeds {
  /// Of all steps of the images: what follows waits a little longer, but nothing is read twice.
  ops::WantedBlobs blobs;
  std::set<solver::VertexId> bases;            // the images that results stand on …
  std::set<ops::BasePrefetch::Part> of_bases;  // … and what of each
};

/// Whether the output's image goes to a registry.
bool is_pushed(const exporter::OutputSpec& output);

/// `targets` are the roots of the images.
OutputNeeds output_needs(const solver::Graph& graph, std::span<const solver::Edge> targets,
                         std::span<const exporter::OutputSpec> outputs);

}  // namespace mybuild::builder
