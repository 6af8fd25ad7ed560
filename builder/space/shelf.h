// SPDX-License-Identifier: Apache-2.0
// Shelf: one kind of things that take space: how to list them and how to take them away. The
// collector knows nothing else of a store. Implementations are thread-compatible.
#pragma once

#include "builder/caches/store.h"
#include "builder/space/collected.h"
#include "builder/space/roots.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/layer_store.h"

#include <memory>
#include <span>

namespace mybuild::space {

class Shelf {
 public:
  virtual ~Shelf() = default;
  virtual Place place() const = 0;
  /// Whether images and containers need some of it: then nobody makes one between items() and the
  /// end of remove(), and both are quick.
  virtual bool is_rooted() const = 0;
  /// Sizes come from notes and single stat calls; no layer is walked.
  virtual Result<std::vector<Item>> items(const Needed& needed) = 0;
  /// Takes away what nobody uses of these.
  virtual Status remove(std::span<const Item> items, const OnRemoved& on_removed) = 0;
};

/// What shelves are made over; all of it outlives them.
struct StoreParts {
  std::string root;  // the state directory
  snapshotter::ContentStore& content;
  snapshotter::LayerStore& layers;
  snapshotter::Metadata& metadata;
  run::ContainerStore& containers;
  const caches::CacheStore& cache_mounts;
  const Clock& clock;
};

std::unique_ptr<Shelf> make_tree_shelf(const StoreParts& parts);
std::unique_ptr<Shelf> make_blob_shelf(const StoreParts& parts);
std::unique_ptr<Shelf> make_cache_mount_shelf(const StoreParts& parts);
std::unique_ptr<Shelf> make_mirror_shelf(const StoreParts& parts);
std::unique_ptr<Shelf> make_index_shelf(const StoreParts& parts);

}  // namespace mybuild::space
