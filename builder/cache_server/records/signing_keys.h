// SPDX-License-Identifier: Apache-2.0
// SigningKeys: a namespace with its ancestors and their keys, as a request needs them; keys are
// made of their seeds once. Thread-safe.
#pragma once

#include "builder/cache_server/protocol/signature.h"
#include "builder/cache_server/store/access_tables.h"
#include "snapshotter/base/guarded.h"

#include <map>
#include <string>
#include <vector>

namespace mybuild::cache_server {

struct Lineage {
  std::vector<std::string> spaces;  // nearest first
  std::vector<SigningKey> keys;     // in the same order
};

class SigningKeys {
 public:
  /// `tables` outlives it.
  explicit SigningKeys(AccessTables& tables) : tables_(tables) {}
  /// NotFound when there is no such namespace.
  Result<Lineage> lineage(const std::string& space);

 private:
  Result<SigningKey> key_of(const SpaceRow& space);

  AccessTables& tables_;
  Guarded<std::map<std::string, SigningKey>> by_seed_;
};

}  // namespace mybuild::cache_server
