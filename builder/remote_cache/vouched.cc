// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/vouched.h"

#include "solver/key.h"

namespace mybuild::remote_cache {

solver::DefinitionKey vouched_key(const Digest& domain, const solver::DefinitionKey& definition) {
  return {solver::KeyBuilder("mybuild.key.vouched.v1").add(domain).add(definition.digest).finish()};
}

}  // namespace mybuild::remote_cache
