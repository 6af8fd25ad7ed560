// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/records/signing_keys.h"

namespace mybuild::cache_server {

Result<Lineage> SigningKeys::lineage(const std::string& space) {
  Lineage lineage;
  for (const SpaceRow& row : TRY(tables_.lineage(space))) {
    lineage.spaces.push_back(row.name);
    lineage.keys.push_back(TRY(key_of(row)));
  }
  if (lineage.spaces.empty()) {
    return not_found("there is no namespace {}", space);
  }
  return lineage;
}

Result<SigningKey> SigningKeys::key_of(const SpaceRow& space) {
  const auto by_seed = by_seed_.lock();
  auto key = by_seed->find(space.seed);
  if (key == by_seed->end()) {
    SigningKey made = TRY(SigningKey::from_seed(space.seed).context(space.name));
    key = by_seed->emplace(space.seed, std::move(made)).first;
  }
  return key->second;
}

}  // namespace mybuild::cache_server
