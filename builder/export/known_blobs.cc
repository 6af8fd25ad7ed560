// SPDX-License-Identifier: Apache-2.0
#include "builder/export/known_blobs.h"

#include "snapshotter/oci/descriptor.h"

namespace mybuild::exporter {

namespace {

std::string name_of(const oci::Reference& repository) {
  return repository.domain + "/" + repository.repository;
}

/// Configs and layers of all images below it, as far as their documents are here.
void add_blobs_of(const Digest& document, snapshotter::ContentStore& content,
                  std::set<Digest>& blobs) {
  const Result<std::string> text = content.read(document);
  if (!text) {
    return;
  }
  if (const Result<oci::Manifest> manifest = oci::parse_manifest(*text)) {
    blobs.insert(manifest->config.digest);
    for (const oci::Descriptor& layer : manifest->layers) {
      blobs.insert(layer.digest);
    }
  } else if (const Result<oci::Index> index = oci::parse_index(*text)) {
    for (const oci::Descriptor& part : index->manifests) {
      add_blobs_of(part.digest, content, blobs);
    }
  }
}

}  // namespace

void KnownBlobs::learn(const oci::Reference& repository, const Digest& root,
                       snapshotter::ContentStore& content) {
  std::set<Digest> blobs;
  add_blobs_of(root, content, blobs);
  const auto repositories = repositories_.lock();
  (*repositories)[name_of(repository)].named.merge(blobs);
}

bool KnownBlobs::is_new(const oci::Reference& repository, const Digest& blob) {
  const auto repositories = repositories_.lock();
  const Repository& known = (*repositories)[name_of(repository)];
  return !known.named.empty() && !known.named.contains(blob);
}

void KnownBlobs::delivered(const oci::Reference& repository, const Digest& blob) {
  const auto repositories = repositories_.lock();
  (*repositories)[name_of(repository)].delivered.insert(blob);
}

bool KnownBlobs::is_delivered(const oci::Reference& repository, const Digest& blob) {
  const auto repositories = repositories_.lock();
  return (*repositories)[name_of(repository)].delivered.contains(blob);
}

}  // namespace mybuild::exporter
