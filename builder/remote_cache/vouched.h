// SPDX-License-Identifier: Apache-2.0
// What the store remembers on the word of a cache server. Such a record holds for builds that would
// ask the same server for the same namespace, and for no others: else what a branch's server space
// says of a step would reach the builds of main through the store that both use on one machine. It
// is kept under a key of its own, without a content key. Pure functions.
#pragma once

#include "solver/cache_index.h"

#include <functional>
#include <optional>

namespace mybuild::remote_cache {

/// Whose word counts in a build; nothing: only what ran in this store, and what its user named.
using TrustDomain = std::optional<Digest>;

/// What stands in place of the definition key (solver/key_schema.md).
solver::DefinitionKey vouched_key(const Digest& domain, const solver::DefinitionKey& definition);

/// What a build has from others, and on whose word.
struct Vouched {
  TrustDomain domain = {};
  /// Whether the server told of this layer. Empty: of none.
  std::function<bool(const Digest& diff_id)> is_layer = {};
};

}  // namespace mybuild::remote_cache
