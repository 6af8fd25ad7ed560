// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/lineage.h"

namespace mybuild::cache_server {

Result<std::vector<std::string>> lineage_of(AccessTables& tables, const std::string& space) {
  std::vector<std::string> names;
  for (const SpaceRow& row : TRY(tables.lineage(space))) {
    names.push_back(row.name);
  }
  if (names.empty()) {
    names.push_back(space);
  }
  return names;
}

}  // namespace mybuild::cache_server
