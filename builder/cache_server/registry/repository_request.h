// SPDX-License-Identifier: Apache-2.0
// A request to a repository, after it was made sure that who asks may do that. A value type.
#pragma once

#include "builder/cache_server/exchange.h"

#include <string>
#include <vector>

namespace mybuild::cache_server {

struct RepositoryRequest {
  Request request;
  std::string repository;
  std::string space;  // the namespace that it stands below; "" for none
  /// Of which it shows the blobs: `space`, then its ancestors, nearest first.
  std::vector<std::string> lineage;
  std::string reference;  // what follows the kind in the path: a digest, a tag, an id

  bool is(std::string_view method) const { return request.method == method; }
};

}  // namespace mybuild::cache_server
