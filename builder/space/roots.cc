// SPDX-License-Identifier: Apache-2.0
#include "builder/space/roots.h"

#include "snapshotter/base/file.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/image_config.h"

#include <fcntl.h>

#include <cerrno>

namespace mybuild::space {

namespace {

constexpr std::size_t kMaxDocument = 16 << 20;
constexpr std::string_view kOriginal = "original";

/// A manifest or index by which a registry knows an image, and the manifests in that index. Layers
/// of theirs that were made here are not among what the image needs.
Status add_manifest(const std::string& root, const Digest& digest, Needed& needed) {
  needed.blobs.insert(digest);
  const std::optional<std::string> text = TRY(peek_blob(root, digest));
  const Result<oci::Index> index =
      text ? oci::parse_index(*text) : Result<oci::Index>(not_found("no index"));
  if (index) {
    for (const oci::Descriptor& child : index->manifests) {
      needed.blobs.insert(child.digest);
    }
  }
  return {};
}

}  // namespace

void Needed::add_layers(const std::vector<Digest>& diff_ids) {
  Digest chain;
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    chain = i == 0 ? diff_ids[0] : oci::chain_id(chain, diff_ids[i]);
    layers.insert(diff_ids[i]);
    trees.insert(diff_ids[i].hex());
    trees.insert("chain-" + chain.hex());
  }
}

Result<std::optional<std::string>> peek_blob(const std::string& root, const Digest& digest) {
  const std::string path = join_path(root, "blobs/sha256/" + digest.hex());
  Result<std::string> text = read_regular_file(AT_FDCWD, path, kMaxDocument);
  if (!text) {
    const bool is_none =
        text.error().os_errno() == ENOENT || text.error().kind() == ErrorKind::InvalidArgument;
    return is_none ? Result(std::optional<std::string>()) : text.error();
  }
  return Digest::of(*text) == digest ? std::optional(std::move(*text)) : std::nullopt;
}

Result<Needed> find_needed(const std::string& root, snapshotter::Metadata& metadata,
                           run::ContainerStore& containers) {
  Needed needed;
  std::unordered_set<Digest> configs;
  for (const snapshotter::ImageRow& image : TRY(metadata.images())) {
    if (!configs.insert(image.config).second) {
      continue;
    }
    needed.blobs.insert(image.config);
    const std::optional<std::string> text = TRY(peek_blob(root, image.config));
    const Result<oci::ImageConfig> config =
        text ? oci::parse_image_config(*text) : Result<oci::ImageConfig>(not_found("no config"));
    if (config) {
      needed.add_layers(config->diff_ids);
    }
  }
  for (const std::vector<Digest>& chain : TRY(containers.layers_in_use())) {
    needed.add_layers(chain);
  }
  for (const snapshotter::RepoDigestRow& row : TRY(metadata.repo_digests())) {
    if (configs.contains(row.config)) {
      TRY(add_manifest(root, row.manifest, needed));
    }
  }
  for (const snapshotter::LayerBlobRow& row : TRY(metadata.layer_blobs())) {
    if (row.format == kOriginal && needed.layers.contains(row.diff_id)) {
      needed.blobs.insert(row.blob.digest);
    }
  }
  return needed;
}

}  // namespace mybuild::space
