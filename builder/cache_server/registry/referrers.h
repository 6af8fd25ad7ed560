// SPDX-License-Identifier: Apache-2.0
// /v2/<name>/referrers/<digest> (distribution spec: end-12): what refers to a manifest, which need
// not be there itself, as an index; page by page where that gets large. Thread-safe.
#pragma once

#include "builder/cache_server/registry/registry_deps.h"
#include "builder/cache_server/registry/repository_request.h"

#include <memory>

namespace mybuild::cache_server {

class Referrers {
 public:
  explicit Referrers(const RegistryDeps& deps) : deps_(deps) {}
  std::unique_ptr<Exchange> begin(RepositoryRequest request);

 private:
  Result<Answer> list(const RepositoryRequest& request, const Digest& subject, Digest last);

  const RegistryDeps& deps_;
};

}  // namespace mybuild::cache_server
