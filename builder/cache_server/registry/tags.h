// SPDX-License-Identifier: Apache-2.0
// /v2/<name>/tags/list (distribution spec: end-8) and /v2/_catalog, page by page. Thread-safe.
#pragma once

#include "builder/cache_server/registry/registry_deps.h"
#include "builder/cache_server/registry/repository_request.h"

#include <memory>

namespace mybuild::cache_server {

class Tags {
 public:
  explicit Tags(const RegistryDeps& deps) : deps_(deps) {}
  std::unique_ptr<Exchange> begin(RepositoryRequest request);
  /// The repositories that the caller may read.
  std::unique_ptr<Exchange> begin_catalog(Request request);

 private:
  Result<Answer> tags(const RepositoryRequest& request, std::size_t limit);
  Result<Answer> catalog(const Request& request, std::size_t limit);

  const RegistryDeps& deps_;
};

}  // namespace mybuild::cache_server
