// SPDX-License-Identifier: Apache-2.0
// The namespaces whose blobs the repositories of one namespace show.
#pragma once

#include "builder/cache_server/store/access_tables.h"

#include <string>
#include <vector>

namespace mybuild::cache_server {

/// `space`, then its ancestors, nearest first; "" alone has none.
Result<std::vector<std::string>> lineage_of(AccessTables& tables, const std::string& space);

}  // namespace mybuild::cache_server
