// SPDX-License-Identifier: Apache-2.0
// ImageResolver: finds base images. A name is looked for among the images of the local store
// (unless `pull`), then in its registry; a layout on disk is read in place. What resolve() found is
// remembered for the build, and layers() says how to get its bytes when somebody needs files.
// Thread-safe.
#pragma once

#include "builder/registry/client.h"
#include "frontend/frontend.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/claims.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "solver/progress.h"

#include <memory>
#include <vector>

namespace mybuild::source {

class ImageResolver : public frontend::MetaResolver {
 public:
  /// The layers of a resolved image (ImageMeta::id), lowest first.
  virtual Result<std::vector<snapshotter::Layer>> layers(const Digest& id) = 0;
  /// Makes the trees of these layers of a resolved image present: downloads what is missing
  /// (several blobs at once, kept in the content store as the layers' original blobs), verifies,
  /// unpacks. Reports progress under `vertex`. Concurrent calls for one image share the work.
  virtual Status fetch_trees(const Digest& id, const solver::VertexId& vertex) = 0;
  /// Makes the blobs of its layers present in the content store, for exporters.
  virtual Status fetch_blobs(const Digest& id, const solver::VertexId& vertex) = 0;
};

struct ImageResolverDeps {
  registry::RegistryClient& registry;
  snapshotter::ContentStore& content;
  snapshotter::LayerStore& layers;
  snapshotter::Metadata& metadata;
  Lanes& lanes;
  solver::EventSink& events;
  const Cancel& cancel;
  const Clock& clock;
  bool pull = false;
  const snapshotter::Claims* claims = nullptr;  // null: nobody else fetches into this store
};
std::unique_ptr<ImageResolver> make_image_resolver(ImageResolverDeps deps);

}  // namespace mybuild::source
