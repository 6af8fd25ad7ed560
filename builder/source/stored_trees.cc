// SPDX-License-Identifier: Apache-2.0
#include "builder/source/stored_trees.h"

#include "snapshotter/base/file.h"

namespace mybuild::source {

namespace {

using snapshotter::LayerBlob;

Result<std::unique_ptr<Source>> open_original(const Digest& diff_id, const StoredTreesDeps& deps) {
  const std::optional<oci::Descriptor> blob = TRY(deps.layers.original_blob(diff_id));
  if (!blob) {
    return not_found("no blob of it is kept");
  }
  Fd fd = TRY(deps.content.open(blob->digest));
  return std::unique_ptr<Source>(std::make_unique<FileSource>(std::move(fd)));
}

/// `damaged`: it was there a moment ago.
Error missing_layer(std::span<const Digest> chain, const std::string& image,
                    snapshotter::LayerStore& layers, bool damaged) {
  Digest missing = chain.back();
  for (std::size_t count = chain.size(); count > 0; --count) {
    const Result<std::optional<std::string>> tree = layers.tree(chain.first(count));
    if (tree && !*tree) {
      missing = chain[count - 1];
    }
  }
  if (damaged) {
    return data_loss("the files of layer {} of {} were changed by something else than mybuild",
                     missing.str(), image)
        .with_hint("the layer was removed; build, pull or load the image again");
  }
  return data_loss("layer {} of {} is not in the store", missing.str(), image)
      .with_hint("it was removed or damaged; build or pull the image again");
}

}  // namespace

Result<std::vector<std::string>> stored_trees(std::span<const Digest> chain,
                                              const std::string& image,
                                              const StoredTreesDeps& deps) {
  const std::size_t damage_before = deps.layers.damage_found();
  std::optional<std::vector<std::string>> trees = TRY(deps.layers.trees(chain));
  if (trees) {
    return std::move(*trees);
  }
  std::vector<LayerBlob> blobs;
  for (const Digest& diff_id : chain) {
    blobs.push_back(
        {.diff_id = diff_id, .open = [&diff_id, &deps] { return open_original(diff_id, deps); }});
  }
  if (deps.layers.unpack(blobs, deps.lanes)) {
    trees = TRY(deps.layers.trees(chain));
  }
  if (!trees) {
    return missing_layer(chain, image, deps.layers, deps.layers.damage_found() > damage_before);
  }
  return std::move(*trees);
}

}  // namespace mybuild::source
