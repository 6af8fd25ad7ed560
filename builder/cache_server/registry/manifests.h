// SPDX-License-Identifier: Apache-2.0
// /v2/<name>/manifests/<reference> (distribution spec: end-3, end-7, end-9). A manifest is kept
// when everything that it names is there, and what it names is kept as long as it is; only its
// subject may be missing. Thread-safe.
#pragma once

#include "builder/cache_server/registry/manifest_document.h"
#include "builder/cache_server/registry/registry_deps.h"
#include "builder/cache_server/registry/repository_request.h"

#include <memory>

namespace mybuild::cache_server {

class Manifests {
 public:
  explicit Manifests(const RegistryDeps& deps) : deps_(deps) {}
  std::unique_ptr<Exchange> begin(RepositoryRequest request);

 private:
  Result<Answer> show(const RepositoryRequest& request);
  Result<Answer> remove(const RepositoryRequest& request);
  Result<Answer> put(const RepositoryRequest& request, const std::string& body);
  Result<Answer> keep(const RepositoryRequest& request, const ManifestDocument& document,
                      const std::string& body);
  /// nullopt when there is no such tag.
  Result<std::optional<Digest>> resolve(const RepositoryRequest& request);
  /// Blobs of ancestors are linked to the namespace, so that they stay. The first that is missing.
  Result<std::optional<Digest>> link_blobs(const RepositoryRequest& request,
                                           const std::vector<Digest>& blobs);

  const RegistryDeps& deps_;
};

}  // namespace mybuild::cache_server
