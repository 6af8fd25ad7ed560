// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_guard.h"

#include "snapshotter/base/log.h"
#include "snapshotter/layer_builder.h"
#include "snapshotter/tree_seal.h"

#include <ctime>

namespace mybuild::snapshotter {

Result<std::unique_ptr<TreeGuard>> TreeGuard::open(const std::string& root,
                                                   const std::string& layers, Metadata& metadata) {
  std::unique_ptr<PowerLossNotes> notes = TRY(PowerLossNotes::open(root, layers, metadata.trees()));
  return std::unique_ptr<TreeGuard>(new TreeGuard(std::move(notes), metadata));
}

/// Whether the tree still has the bytes of its diff id.
Result<bool> TreeGuard::look_through(const std::string& path, const Digest& diff_id) {
  const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
  if (row && !row->changes) {
    return false;
  }
  const Result<LayerIdentity> identity = identify_stored_tree(path);
  return identity && identity->diff_id == diff_id;
}

Result<bool> TreeGuard::survived(const std::string& name, const std::string& path,
                                 const Digest& diff_id) {
  if (!notes_->is_suspect(name)) {
    return true;
  }
  if (!TRY(look_through(path, diff_id))) {
    log::debug("layer tree {} was not on the disk when the machine went down", name);
    return false;
  }
  const Digest seal = TRY(seal_of_tree(path));
  TRY(metadata_.trees().set_seal(name, seal, true));
  TRY(notes_->clear(name));
  return true;
}

Result<bool> TreeGuard::is_unchanged(const std::string& name, const std::string& path,
                                     const Digest& diff_id) {
  if (believed_.lock()->contains(name)) {
    return true;
  }
  const Digest seal = TRY(seal_of_tree(path));
  const std::optional<TreeRow> row = TRY(metadata_.trees().find(name));
  if (!row) {
    // An older mybuild made it, or the database is a new one.
    const std::optional<LayerRow> layer = TRY(metadata_.find_layer(diff_id));
    TRY(metadata_.trees().put(
        {.name = name,
         .diff_id = diff_id,
         .size = layer ? layer->size : 0,
         .created = std::time(nullptr),
         .synced = false,
         .seal = seal},
        layer.value_or(LayerRow{.diff_id = diff_id, .changes = {}, .size = 0, .created = 0})));
  } else if (const SealMatch match = compare_seals(row->seal, seal); match != SealMatch::Same) {
    const std::optional<LayerRow> layer = TRY(metadata_.find_layer(diff_id));
    const bool is_foreign = layer && !layer->changes;
    // What can be unpacked again costs little to drop; a copy of the store without its blobs is
    // believed.
    const bool is_copy = is_foreign && match == SealMatch::Copied &&
                         !TRY(metadata_.find_layer_blob(diff_id, "original"));
    if (!is_copy && !TRY(look_through(path, diff_id))) {
      log::debug("layer tree {} is not what it was", name);
      return false;
    }
    TRY(metadata_.trees().set_seal(name, seal, row->synced));
  }
  believed_.lock()->insert(name);
  return true;
}

Status TreeGuard::before_publish(const std::string& name, const std::string& path,
                                 const LayerRow& layer) {
  const Digest seal = TRY(seal_of_tree(path));
  TRY(metadata_.trees().put({.name = name,
                             .diff_id = layer.diff_id,
                             .size = layer.size,
                             .created = layer.created,
                             .synced = false,
                             .seal = seal},
                            layer));
  believed_.lock()->insert(name);
  return {};
}

Status TreeGuard::dropped(const std::string& name) {
  believed_.lock()->erase(name);
  return notes_->clear(name);
}

}  // namespace mybuild::snapshotter
