// SPDX-License-Identifier: Apache-2.0
#include "builder/export/known_blobs.h"

#include "snapshotter/oci/descriptor.h"

#include <algorithm>

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
  if (!blobs.empty()) {
    const auto repositories = repositories_.lock();
    Repository& known = (*repositories)[name_of(repository)];
    known.is_familiar = true;
    known.blobs.merge(blobs);
  }
}

void KnownBlobs::add(const oci::Reference& repository, const Digest& blob) {
  const auto repositories = repositories_.lock();
  (*repositories)[name_of(repository)].blobs.insert(blob);
}

bool KnownBlobs::has(const oci::Reference& repository, const Digest& blob) {
  const auto repositories = repositories_.lock();
  const auto known = repositories->find(name_of(repository));
  return known != repositories->end() && known->second.blobs.contains(blob);
}

bool KnownBlobs::is_familiar(const oci::Reference& repository) {
  const auto repositories = repositories_.lock();
  const auto known = repositories->find(name_of(repository));
  return known != repositories->end() && known->second.is_familiar;
}

bool KnownBlobs::doubt() {
  const auto repositories = repositories_.lock();
  const bool had_learnt =
      std::any_of(repositories->begin(), repositories->end(),
                  [](const auto& repository) { return repository.second.is_familiar; });
  repositories->clear();
  return had_learnt;
}

}  // namespace mybuild::exporter
