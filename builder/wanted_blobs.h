// SPDX-License-Identifier: Apache-2.0
// What the outputs and caches of a build will ask its layers for (ops/wanted_blobs.h). Pure;
// thread-safe.
#pragma once

#include "builder/export/exporter.h"
#include "builder/ops/wanted_blobs.h"
#include "builder/remote_cache/spec.h"

#include <span>

namespace mybuild::builder {

struct BlobUsers {
  std::span<const exporter::OutputSpec> outputs;
  std::span<const remote_cache::CacheTarget> caches;
};

/// `targets` are the roots of the images.
ops::WantedBlobs wanted_blobs(const solver::Graph& graph, std::span<const solver::Edge> targets,
                              const BlobUsers& users);

}  // namespace mybuild::builder
