// SPDX-License-Identifier: Apache-2.0
// CacheWriter: one place that a cache is exported to. Layers come first, several at a time, then
// the documents, whose name appears last: who reads meanwhile sees the cache that was there before.
// Thread-safe but for finish().
#pragma once

#include "builder/export/exporter.h"
#include "builder/remote_cache/spec.h"

#include <memory>
#include <string>

namespace mybuild::remote_cache {

class CacheWriter {
 public:
  virtual ~CacheWriter() = default;
  /// Finds out whether the place can be written to, before anything is made for it.
  virtual Status greet() = 0;
  /// True when the place has the blob now, without our giving it.
  virtual Result<bool> has(const oci::Descriptor& blob) = 0;
  /// A blob of the content store.
  virtual Status put(const oci::Descriptor& blob) = 0;
  /// Config and manifest, which are in the content store, over `layers`.
  virtual Status finish(const oci::Descriptor& config, const oci::Descriptor& manifest,
                        const std::vector<oci::Descriptor>& layers) = 0;
};

/// Reports under `vertex`. `deps` outlives the writer. Not for Type::Inline, which is no place.
std::unique_ptr<CacheWriter> make_cache_writer(const CacheTarget& target,
                                               exporter::ExportDeps& deps,
                                               const solver::VertexId& vertex);

}  // namespace mybuild::remote_cache
