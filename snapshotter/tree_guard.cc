// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_guard.h"

#include "snapshotter/base/log.h"
#include "snapshotter/layer_builder.h"
#include "snapshotter/tree_seal.h"
#include "snapshotter/tree_witness.h"

#include <cerrno>
#include <ctime>

namespace mybuild::snapshotter {

namespace {

/// What cannot be read is not what it was, unless there is nothing now to read it with.
template <class T>
Result<bool> is_readable(const Result<T>& read) {
  const int code = read ? 0 : read.error().os_errno();
  if (code == EMFILE || code == ENFILE || code == ENOMEM) {
    return read.error();
  }
  return read.has_value();
}

SealedTree row_of(const std::string& name, const TreeSeal& seal, const LayerRow& layer,
                  std::int64_t created) {
  return {.tree = {.name = name,
                   .diff_id = layer.diff_id,
                   .size = layer.size,
                   .created = created,
                   .synced = false,
                   .seal = seal.digest,
                   .disk = seal.disk},
          .layer = layer};
}

}  // namespace

Result<SealedTree> sealed_tree(const std::string& name, const std::string& path,
                               const LayerRow& layer, const std::optional<Digest>& witness) {
  SealedTree sealed = row_of(name, TRY(seal_of_tree(path)), layer, layer.created);
  sealed.tree.witness = witness;
  return sealed;
}

Result<std::unique_ptr<TreeGuard>> TreeGuard::open(const std::string& root,
                                                   const std::string& layers, Metadata& metadata) {
  std::unique_ptr<PowerLossNotes> notes = TRY(PowerLossNotes::open(root, layers, metadata.trees()));
  return std::unique_ptr<TreeGuard>(new TreeGuard(std::move(notes), metadata));
}

Result<std::optional<bool>> TreeGuard::is_whole(const std::string& name, const std::string& path,
                                                const Digest& diff_id) {
  const std::optional<TreeRow> row = TRY(metadata_.trees().find(name));
  if (row && row->witness) {
    const Result<Digest> witness = witness_of_tree(path);
    return std::optional(TRY(is_readable(witness)) && *witness == *row->witness);
  }
  const std::optional<LayerRow> layer = TRY(metadata_.find_layer(diff_id));
  if (layer && !layer->changes) {
    return std::optional<bool>();
  }
  const Result<LayerIdentity> identity = identify_stored_tree(path);
  const bool is_same = TRY(is_readable(identity))
  &&identity->diff_id == diff_id;
  // Of a tree whose rows a collector on a full disk has taken before it, nobody knows more.
  return layer || is_same ? std::optional(is_same) : std::nullopt;
}

/// On a disk that takes nothing it is found out again next time.
bool TreeGuard::note_seal(const std::string& name, const Digest& seal, bool synced) {
  const Status noted = metadata_.trees().set_seal(name, seal, synced);
  if (!noted) {
    log::debug("note the seal of layer tree {}: {}", name, noted.error().message());
  }
  return noted.has_value();
}

Result<bool> TreeGuard::survived(const std::string& name, const std::string& path,
                                 const Digest& diff_id) {
  if (!notes_->is_suspect(name)) {
    return true;
  }
  const std::optional<bool> whole = TRY(is_whole(name, path, diff_id));
  if (!whole.value_or(false)) {
    log::debug("layer tree {} was not on the disk when the machine went down", name);
    return false;
  }
  const TreeSeal seal = TRY(seal_of_tree(path));
  if (note_seal(name, seal.digest, true)) {
    TRY(notes_->clear(name));
  }
  return true;
}

Result<bool> TreeGuard::is_unchanged(const std::string& name, const std::string& path,
                                     const Digest& diff_id) {
  if (believed_.lock()->contains(name)) {
    return true;
  }
  const TreeSeal seal = TRY(seal_of_tree(path));
  const std::optional<TreeRow> row = TRY(metadata_.trees().find(name));
  if (!row) {
    // An older mybuild made it, or the database is a new one.
    const std::optional<LayerRow> layer = TRY(metadata_.find_layer(diff_id));
    const SealedTree found =
        row_of(name, seal,
               layer.value_or(LayerRow{.diff_id = diff_id, .changes = {}, .size = 0, .created = 0}),
               std::time(nullptr));
    TRY(metadata_.trees().put(std::span(&found, 1)));
  } else if (const SealMatch match = compare_seals(row->seal, seal.digest);
             match != SealMatch::Same) {
    std::optional<bool> whole = TRY(is_whole(name, path, diff_id));
    if (!whole) {
      // What can be unpacked again costs little to drop; a copy of the store without its blobs is
      // believed.
      whole = match == SealMatch::Copied && !TRY(metadata_.find_layer_blob(diff_id, "original"));
    }
    if (!*whole) {
      log::debug("layer tree {} is not what it was", name);
      return false;
    }
    (void)note_seal(name, seal.digest, row->synced);
  }
  believed_.lock()->insert(name);
  return true;
}

Result<bool> TreeGuard::has_its_seal(const std::string& name, const std::string& path) {
  const Result<TreeSeal> seal = seal_of_tree(path);
  const std::optional<TreeRow> row = TRY(metadata_.trees().find(name));
  return TRY(is_readable(seal))
  &&(!row || row->seal == seal->digest);
}

Status TreeGuard::before_publish(std::span<const SealedTree> trees) {
  TRY(metadata_.trees().put(trees));
  const auto believed = believed_.lock();
  for (const SealedTree& sealed : trees) {
    believed->insert(sealed.tree.name);
  }
  return {};
}

Status TreeGuard::dropped(const std::string& name) {
  believed_.lock()->erase(name);
  return notes_->clear(name);
}

}  // namespace mybuild::snapshotter
