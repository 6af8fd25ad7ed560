// SPDX-License-Identifier: Apache-2.0
// RemoteLayers: layers that an imported cache has, by diff id: what is known of them here, and how
// to get them when somebody needs their files or their blobs. What a cache says of a layer is a
// claim until the layer was unpacked here and compared with it; a cache of which one claim does not
// hold, or that has not got what it names, is reported, so that nobody asks it again. Thread-safe.
#pragma once

#include "builder/source/image_fetcher.h"
#include "snapshotter/base/guarded.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace mybuild::source {

/// Where a layer can be had.
struct RemoteLayer {
  oci::Descriptor blob;
  BlobOrigin origin;
  std::size_t cache = 0;       // which of the imported ones, for reports
  bool is_named_only = false;  // no bytes of it are there, only what stands on it
};

class RemoteLayers {
 public:
  struct Deps {
    ImageFetcher::Deps fetch;
    snapshotter::Metadata& metadata;
    std::function<std::optional<RemoteLayer>(const Digest& diff_id)> where;
    /// Hears which layers are fetched next, before the first of them. May be empty.
    std::function<void(std::span<const Digest> diff_ids)> announce = {};
    /// Hears that a layer of a cache is not what it should be, or cannot be had.
    std::function<void(std::size_t cache, const Error& why)> on_bad;
  };
  explicit RemoteLayers(Deps deps) : deps_(std::move(deps)), fetcher_(deps_.fetch) {}

  /// A step under which a download is shown.
  struct Shown {
    solver::VertexId id;
    std::string name;
  };
  /// The layer as a build may use it: as it is here, or with the blob that it can be made of;
  /// nullopt when it can't be had, or is known to be something else than `claimed`. Asks nobody.
  Result<std::optional<snapshotter::Layer>> find(const snapshotter::Layer& claimed,
                                                 const Shown& step);

  /// Makes the trees of the layers present that came from a cache, and compares them with what it
  /// says of them. `layers`: those of a stack that are above its base.
  Status fetch_trees(std::span<const snapshotter::Layer> layers);
  /// Makes their blobs present, checked to be of their diff ids.
  Status fetch_blobs(std::span<const snapshotter::Layer> layers);

 private:
  using Layers = std::vector<snapshotter::Layer>;
  Layers unproven(std::span<const snapshotter::Layer> layers);
  void fill(Image& image, std::span<const snapshotter::Layer> layers);
  Status announce(const Layers& layers);
  Shown shown(const Layers& layers);
  Status check_bytes(const Layers& layers);
  Status keep_as_imported(const Layers& layers, const std::set<Digest>& bases);
  Status show(const Layers& layers, const std::function<Status(const Shown&)>& fetch);
  Status report(const Layers& layers, Status status);
  Result<std::set<Digest>> of_images(const Layers& layers);

  const Deps deps_;
  Guarded<std::map<Digest, Shown>> steps_;
  Guarded<std::set<Digest>> proven_;  // their trees
  Guarded<std::set<Digest>> kept_;    // their blobs, checked
  ImageFetcher fetcher_;
};

}  // namespace mybuild::source
