// SPDX-License-Identifier: Apache-2.0
// Reads the documents of a cache, out of a registry or a folder: a cache on its own, or those in
// the configs of an image (of each platform that is built). No layer is touched, and nothing is
// believed: digests are checked, sizes limited, and a document that says what cannot be is refused.
// Thread-safe.
#pragma once

#include "builder/registry/client.h"
#include "builder/remote_cache/document.h"
#include "builder/remote_cache/spec.h"
#include "builder/source/blob_fetcher.h"

#include <string>
#include <vector>

namespace mybuild::remote_cache {

struct ReadCache {
  std::vector<CacheDocument> documents;  // all of their layers have a place
  source::BlobOrigin origin;             // of the layers' blobs
};

/// How messages call it.
std::string name_of(const CacheSource& source);

struct ReaderDeps {
  registry::RegistryClient& registry;
  const Cancel& cancel;     // ends the reading of documents
  const Cancel& downloads;  // and that of layers, later
};
/// NotFound also when there is an image, but no cache in it. What `deps` names outlives the
/// answer's origin.
Result<ReadCache> read_cache(const CacheSource& source, const std::vector<oci::Platform>& platforms,
                             const ReaderDeps& deps);

}  // namespace mybuild::remote_cache
