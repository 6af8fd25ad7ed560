// SPDX-License-Identifier: Apache-2.0
// The documents of one image as they go out: layers as blobs of the wanted compression, the config,
// the manifest. All of them are in the content store afterwards. With rewrite-timestamp layer times
// are clamped, so that layers made here get other diff ids and the config of this output names
// those. Thread-safe.
#pragma once

#include "builder/export/exporter.h"

#include <functional>
#include <vector>

namespace mybuild::exporter {

struct ImageDocuments {
  oci::Descriptor manifest;  // with its platform
  oci::Descriptor config;
  std::vector<oci::Descriptor> layers;  // lowest first
};

/// Whether an output carries the layer of this blob, a base's, as another blob. A plain tar is
/// always compressed: the digest must not depend on what is here.
bool is_recompressed(const oci::Descriptor& blob, const OutputSpec& spec);

/// What a registry adds to it; either may be empty.
struct LayerHooks {
  /// Called once for each layer as soon as its blob is there, several at a time; so for the config,
  /// where that does not follow from the blobs.
  std::function<Status(const oci::Descriptor& blob)> ready;
  /// Hears of blobs that have to be made, while they are.
  snapshotter::OnDraft draft = {};
  /// True for the blob a base layer came with when nobody needs its bytes here: the manifest names
  /// it, the content store need not have it.
  std::function<bool(const oci::Descriptor& blob)> elsewhere;
};

/// All of one family of media types, whichever registry a layer came from.
Result<ImageDocuments> write_documents(const BuiltImage& image, const OutputSpec& spec,
                                       const BuildOutput& output, ExportDeps& deps,
                                       const LayerHooks& hooks = {});
/// Of every image of the output, as steps that progress shows.
Result<std::vector<ImageDocuments>> write_all_documents(const BuildOutput& output,
                                                        const OutputSpec& spec, ExportDeps& deps,
                                                        const solver::VertexId& vertex,
                                                        const LayerHooks& hooks = {});
/// The index over several images, in the content store, with the annotations of `spec`.
Result<oci::Descriptor> write_index(const std::vector<ImageDocuments>& images,
                                    const OutputSpec& spec, ExportDeps& deps);

}  // namespace mybuild::exporter
