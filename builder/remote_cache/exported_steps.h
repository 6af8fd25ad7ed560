// SPDX-License-Identifier: Apache-2.0
// What of a finished build goes into a cache: its steps, by what they are found again, with their
// layers; and documents made of them, always in the same order. Thread-safe.
#pragma once

#include "builder/remote_cache/document.h"
#include "builder/remote_cache/vouched.h"
#include "snapshotter/layer_store.h"
#include "solver/scheduler.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace mybuild::remote_cache {

struct ExportedStep {
  CachedRecord record;       // without its layer
  snapshotter::Layer layer;  // with a blob where it was imported, and is not proven yet
  Time created{};
};

/// All steps of the build. The store's records know what need not be asked in a build that finds
/// everything: content keys.
Result<std::vector<ExportedStep>> steps_of(const solver::SolveResult& solved,
                                           solver::CacheIndex& store);
/// All of them, but only layers among these can be had: what was built on the others is found
/// without them.
std::vector<ExportedStep> with_layers_in(std::vector<ExportedStep> steps,
                                         std::span<const snapshotter::Layer> layers);

/// Each of these layers once, by diff id.
std::vector<snapshotter::Layer> layers_of(const std::vector<ExportedStep>& steps);
/// `blobs`: where the layers of layers_of() are, in that order.
CacheDocument make_document(const std::vector<ExportedStep>& steps,
                            const std::vector<oci::Descriptor>& blobs);
/// As members for the config of the image that has these layers; "" when no step is in it.
std::string inline_cache(const std::vector<ExportedStep>& steps,
                         std::span<const snapshotter::Layer> layers);

/// Records of imported steps whose layers were proven meanwhile become records of the store.
Status keep_proven(const solver::SolveResult& solved, snapshotter::Metadata& metadata,
                   snapshotter::LayerStore& layers, solver::CacheIndex& store,
                   const Vouched& vouched);

}  // namespace mybuild::remote_cache
