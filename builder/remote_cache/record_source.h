// SPDX-License-Identifier: Apache-2.0
// RecordSource: records and layers of other machines, as one build asks for them. What is found is
// a claim until a layer was compared with it (source::RemoteLayers). Thread-safe.
#pragma once

#include "builder/ops/trees.h"
#include "builder/source/remote_layers.h"
#include "solver/cache_index.h"

#include <optional>
#include <span>
#include <vector>

namespace mybuild::remote_cache {

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  /// The store does not know these: find() may be called for them soon. Never waits.
  virtual void expect(std::span<const solver::DefinitionKey>) {}
  /// May wait, for a bounded time.
  virtual std::vector<solver::CacheRecord> find(const solver::DefinitionKey& key) = 0;
  virtual std::vector<solver::CacheRecord> find(const solver::ContentKey& key) = 0;
  /// Where the layer of a record that was found can be had; nullopt if it was not found here.
  virtual std::optional<source::RemoteLayer> where(const Digest& diff_id) = 0;
  /// All of these layers are fetched next. May wait, for a bounded time.
  virtual void announce(std::span<const Digest>) {}
};

/// The record as the solver gets it.
inline solver::CacheRecord imported_record(const solver::DefinitionKey& definition,
                                           const solver::ContentKey& content,
                                           std::vector<solver::OutputId> inputs,
                                           const ops::StepLayer& step) {
  return {.definition = definition,
          .content = content,
          .inputs = std::move(inputs),
          .output = {},
          .body = ops::dump_body(step),
          .is_imported = true};
}

}  // namespace mybuild::remote_cache
