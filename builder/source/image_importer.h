// SPDX-License-Identifier: Apache-2.0
// ImageImporter: brings whole images into the local store, from a registry (pull) or from a layout
// or archive (load): documents, unpacked layers, then the names, which is what makes an image
// visible. Nothing that is there is fetched again. Thread-compatible.
#pragma once

#include "builder/registry/client.h"
#include "builder/source/image_fetcher.h"
#include "builder/source/image_layout.h"
#include "builder/source/registry_image.h"
#include "snapshotter/oci/reference.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::source {

struct PulledImage {
  Digest root;           // what the name stands for in the registry: a manifest or an index
  Digest config;         // the image id
  bool changed = false;  // the name meant another image before, or none
};

struct LoadedImage {
  Digest config;
  std::vector<std::string> names;  // normalised; may be empty
};

struct ImageImporterDeps {
  registry::RegistryClient& registry;
  snapshotter::ContentStore& content;
  snapshotter::LayerStore& layers;
  snapshotter::Metadata& metadata;
  Lanes& lanes;
  solver::EventSink& events;
  const Cancel& cancel;
  const Clock& clock;
  const snapshotter::Claims* claims = nullptr;  // null: nobody else fetches into this store
};

class ImageImporter {
 public:
  explicit ImageImporter(ImageImporterDeps deps)
      : deps_(deps),
        registry_(deps.registry, deps.content, deps.metadata, deps.cancel),
        fetcher_({deps.content, deps.layers, deps.lanes, deps.events, deps.cancel, deps.clock,
                  deps.claims}) {}

  /// A tag is asked for each time, a digest only when its documents are not in the store. Without
  /// `platform`, an image that is there for one only is taken as it is, else this machine's.
  Result<PulledImage> pull(const oci::Reference& reference,
                           const std::optional<oci::Platform>& platform,
                           const solver::VertexId& vertex);
  /// All images of a layout directory or archive; of an index, the one for `platform`.
  Result<std::vector<LoadedImage>> load(const std::string& path, const oci::Platform& platform,
                                        const solver::VertexId& vertex);
  /// Makes present what was lost of the blobs of an image of the local store, from a repository
  /// that had them. NotFound names the image where there is none.
  Status restore_blobs(const std::string& name, const std::vector<snapshotter::Layer>& layers,
                       const solver::VertexId& vertex);

 private:
  Result<RegistryImage> find(const oci::Reference& reference, const oci::Platform& platform);
  Result<LoadedImage> load_one(const std::shared_ptr<ImageLayout>& layout, const LayoutImage& found,
                               const solver::VertexId& vertex);
  Status name(const Image& image, const Digest& config, const std::vector<std::string>& names);

  const ImageImporterDeps deps_;
  RegistryImages registry_;
  ImageFetcher fetcher_;
};

}  // namespace mybuild::source
