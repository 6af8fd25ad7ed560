// SPDX-License-Identifier: Apache-2.0
// ImageFetcher: makes the layers of an image that was found present, as trees or as blobs. All
// downloads run at once, and layers are unpacked while they come. What another
// build or process fetches at the time is waited for. Thread-safe.
#pragma once

#include "builder/source/blob_fetcher.h"
#include "builder/source/image.h"

#include <optional>
#include <vector>

namespace mybuild::source {

class ImageFetcher {
 public:
  struct Deps {
    snapshotter::ContentStore& content;
    snapshotter::LayerStore& layers;
    Lanes& lanes;
    solver::EventSink& events;
    const Cancel& cancel;
    const Clock& clock;
    const snapshotter::Claims* claims = nullptr;  // null: nobody else fetches into this store
  };
  explicit ImageFetcher(Deps deps)
      : deps_(deps),
        blobs_({deps.content, deps.lanes, deps.events, deps.cancel, deps.clock, deps.claims}) {}

  Status fetch_trees(Image& image, const solver::VertexId& vertex);
  Status fetch_blobs(Image& image, const solver::VertexId& vertex);
  /// The blobs, as they came, of layers that are unpacked and cannot be packed here: without them
  /// the image runs, but cannot be passed on.
  Status fetch_lost_blobs(Image& image, const solver::VertexId& vertex);

 private:
  Result<std::vector<bool>> missing_trees(const Image& image);
  BlobWant want(const Image& image, const snapshotter::Layer& layer,
                const solver::VertexId& vertex) const;
  struct OpenedLayer;
  Result<std::unique_ptr<Source>> open_layer(const Image& image, const snapshotter::Layer& layer,
                                             const solver::VertexId& vertex, OpenedLayer& opened);
  Status check_missing(const Image& image, const std::vector<bool>& missing) const;
  /// Waits for others who unpack one of them now.
  Result<std::optional<snapshotter::Claim>> claim(const Image& image,
                                                  const std::vector<bool>& missing,
                                                  const solver::VertexId& vertex);
  Status unpack(const Image& image, const solver::VertexId& vertex);
  Status remove_if_damaged(const Digest& blob);
  Error failure(const Image& image, const std::vector<OpenedLayer>& opened, Error error);
  Status fetch_blobs(const Image& image, const std::vector<const snapshotter::Layer*>& layers,
                     const solver::VertexId& vertex);
  Status fetch_blob(const Image& image, const snapshotter::Layer& layer,
                    const solver::VertexId& vertex);

  const Deps deps_;
  BlobFetcher blobs_;
};

}  // namespace mybuild::source
