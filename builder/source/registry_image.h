// SPDX-License-Identifier: Apache-2.0
// The documents of an image in a registry: asked for, remembered in the store, found there again.
// Layers are not touched. Inside builder/source. Thread-safe.
#pragma once

#include "builder/registry/client.h"
#include "builder/source/image_index.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/metadata.h"

#include <optional>
#include <string>

namespace mybuild::source {

struct RegistryImage {
  Digest root;  // what the name stands for: the manifest, or the index it is in
  ChosenManifest chosen;
  std::string config;  // the document
};

class RegistryImages {
 public:
  RegistryImages(registry::RegistryClient& registry, snapshotter::ContentStore& content,
                 snapshotter::Metadata& metadata, const Cancel& cancel)
      : registry_(registry), content_(content), metadata_(metadata), cancel_(cancel) {}

  /// Asks the registry; documents that the store has are not fetched again.
  Result<RegistryImage> find(const oci::Reference& reference, const oci::Platform& platform);
  /// Keeps the documents, what the name resolved to, and that the repository has these blobs.
  Status remember(const oci::Reference& reference, const oci::Platform& platform,
                  const RegistryImage& image);
  /// What was remembered; nullopt when some document of it is gone. Of a tag, `root` is the
  /// manifest.
  Result<std::optional<RegistryImage>> remembered(const oci::Reference& reference,
                                                  const oci::Platform& platform);

 private:
  Result<std::string> document(const oci::Reference& reference, const oci::Descriptor& descriptor);
  std::optional<std::string> stored(const Digest& digest);

  registry::RegistryClient& registry_;
  snapshotter::ContentStore& content_;
  snapshotter::Metadata& metadata_;
  const Cancel& cancel_;
};

/// The repository's image of this digest.
oci::Reference at(oci::Reference reference, const Digest& digest);

/// Whether the same name may be looked for in another registry: this one answers that it has no
/// such image, or "denied", which registries say of what they do not have, too.
inline bool is_elsewhere(const Error& error) {
  return error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::Denied;
}

/// A small document of the content store; nullopt when it is gone or damaged, as it can be had
/// again.
std::optional<std::string> stored_document(snapshotter::ContentStore& content,
                                           const Digest& digest);

}  // namespace mybuild::source
