// SPDX-License-Identifier: Apache-2.0
// How trees get into the store: unpacked from blobs, committed from directories. Rows are written
// many at once, as each transaction costs as much as a small layer.
#include "snapshotter/base/cpu.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/layer_builder.h"
#include "snapshotter/layer_extractor.h"
#include "snapshotter/local_layer_store.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_scan.h"
#include "snapshotter/whiteout.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <set>

namespace mybuild::snapshotter {

/// The root of a tree that is about to be filled, with the metadata "/" has in every builder.
Result<std::string> LocalLayerStore::make_root(const TempDir& draft) {
  std::string fs = join_path(draft.path(), "fs");
  TRY(sys::mkdir_at(AT_FDCWD, fs, 0755));
  TRY(sys::fchmod_at(AT_FDCWD, fs, 0755));
  return fs;
}

Result<bool> LocalLayerStore::makes_overlay_marks() {
  const std::lock_guard lock(marks_mutex_);
  if (!overlay_marks_) {
    const TempDir draft = TRY(session_->make());
    overlay_marks_ = TRY(holds_overlay_marks(draft.path()));
  }
  return *overlay_marks_;
}

/// A store that was filled where overlayfs' marks were impossible is used where they are not. The
/// portable tree stays, as others may be reading it.
Result<std::string> LocalLayerStore::as_stackable(const std::string& name, const std::string& path,
                                                  const Digest& diff_id) {
  if (path == tree_path(name) || !TRY(makes_overlay_marks())) {
    return path;
  }
  const TempDir draft = TRY(session_->make());
  const std::string fs = TRY(make_root(draft));
  Fd from = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  const struct stat info = TRY(sys::fstat(from.get()));
  const Entry root = TRY(read_directory_entry(from.get(), info, {}, TreeForm::Plain));
  const ScannedTree scanned = TRY(scan_layer_tree(from.get()));
  const std::unique_ptr<EntryContents> contents = tree_contents(std::move(from));
  BlobDrafts no_blobs;
  (void)TRY(realise_changes(refs_of(scanned.changes), *contents, fs, no_blobs)
                .context("copy layer tree " + name));
  const Fd to = TRY(sys::open(fs, O_RDONLY | O_DIRECTORY));
  TRY(finish_directory(to.get(), root));
  const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
  const std::optional<TreeRow> portable = TRY(metadata_.trees().find(name));
  const LayerRow unknown{.diff_id = diff_id, .changes = {}, .size = 0, .created = 0};
  const SealedTree sealed = TRY(
      sealed_tree(name, fs, row.value_or(unknown), portable ? portable->witness : std::nullopt));
  TRY(guard_->before_publish(std::span(&sealed, 1)));
  TRY(move_to(fs, name, kStackable));
  return tree_path(name);
}

Result<Layer> LocalLayerStore::commit_tree(const std::string& dir,
                                           std::span<const CompressionSpec> forms,
                                           const OnDraft& on_draft) {
  BlobDrafts blobs = TRY(BlobDrafts::begin(content_, forms, on_draft));
  const LayerIdentity identity = TRY(identify_tree(dir, blobs).context("commit layer"));
  Layer layer = TRY(commit(dir, identity));
  TRY(keep(std::move(blobs), layer.diff_id, forms));
  return layer;
}

Result<Layer> LocalLayerStore::commit_changes(const ChangeRefs& changes,
                                              const EntryContents& contents,
                                              std::span<const CompressionSpec> forms,
                                              const OnDraft& on_draft) {
  const TempDir draft = TRY(session_->make());
  const std::string fs = TRY(make_root(draft));
  BlobDrafts blobs = TRY(BlobDrafts::begin(content_, forms, on_draft));
  const LayerIdentity identity =
      TRY(realise_changes(changes, contents, fs, blobs).context("commit layer"));
  Layer layer = TRY(commit(fs, identity));
  TRY(keep(std::move(blobs), layer.diff_id, forms));
  return layer;
}

namespace {

/// No layer made here says anything of "/" itself, so what a step did to it must not live on in
/// the tree either: equal layers would not be equal.
Status forget_root(const std::string& dir) {
  const Fd root = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
  for (const std::string& attribute : TRY(sys::list_xattrs(root.get()))) {
    if (!is_overlay_xattr(attribute)) {
      TRY(sys::remove_xattr(root.get(), attribute));
    }
  }
  TRY(sys::fchown(root.get(), ::geteuid(), ::getegid()));
  return sys::fchmod(root.get(), 0755);
}

}  // namespace

Result<Layer> LocalLayerStore::commit(const std::string& dir, const LayerIdentity& identity) {
  TRY(forget_root(dir));
  const LayerRow row{.diff_id = identity.diff_id,
                     .changes = identity.changes,
                     .size = identity.size,
                     .created = std::time(nullptr)};
  SealedTree sealed = TRY(sealed_tree(independent_name(identity.diff_id), dir, row, std::nullopt));
  const Draft draft{.dir = dir, .tree = std::move(sealed)};
  TRY(publish(std::span(&draft, 1)));
  Layer layer;
  layer.diff_id = identity.diff_id;
  layer.changes = identity.changes;
  layer.size = identity.size;
  return layer;
}

/// Gives complete trees their names, each by one rename. An equal tree that is already there wins.
Status LocalLayerStore::publish(std::span<const Draft> drafts) {
  std::vector<const Draft*> fresh;
  std::vector<SealedTree> rows;
  std::set<std::string> names;  // an image may have one layer twice
  for (const Draft& draft : drafts) {
    const bool is_first = names.insert(draft.tree.tree.name).second;
    if (!is_first || TRY(is_there_already(draft))) {
      TRY(session_->discard(draft.dir));
      continue;
    }
    fresh.push_back(&draft);
    rows.push_back(draft.tree);
  }
  TRY(guard_->before_publish(rows));
  for (const Draft* draft : fresh) {
    TRY(give_name(*draft));
  }
  return {};
}

Result<bool> LocalLayerStore::is_there_already(const Draft& draft) {
  const std::string& name = draft.tree.tree.name;
  TRY(use(name));
  if (guard_->is_suspect(name)) {
    TRY(drop(name));
  }
  const bool overlay_marks = TRY(makes_overlay_marks());
  const bool is_there =
      overlay_marks ? sys::exists_at(AT_FDCWD, tree_path(name)) : find_tree(name).has_value();
  if (is_there) {
    // A database that is new does not know it.
    TRY(metadata_.trees().put_layers(std::span(&draft.tree.layer, 1)));
  }
  return is_there;
}

Status LocalLayerStore::give_name(const Draft& draft) {
  std::string_view form = kStackable;
  if (!TRY(makes_overlay_marks())) {
    const Fd root = TRY(sys::open(draft.dir, O_RDONLY | O_DIRECTORY));
    if (TRY(has_portable_marks(root.get()))) {
      form = kPortable;
    }
  }
  return move_to(draft.dir, draft.tree.tree.name, form);
}

Status LocalLayerStore::move_to(const std::string& dir, const std::string& name,
                                std::string_view form) {
  const std::string home = join_path(layers_, name);
  if (Status made = sys::mkdir_at(AT_FDCWD, home, 0700);
      !made && made.error().os_errno() != EEXIST) {
    return made;
  }
  const Status moved = sys::rename_at(AT_FDCWD, dir, AT_FDCWD, tree_path(name, form));
  if (!moved && (moved.error().os_errno() == EEXIST || moved.error().os_errno() == ENOTEMPTY)) {
    return session_->discard(dir);
  }
  return moved;
}

/// A layer of a chain on its way into the store.
struct LocalLayerStore::Unpacking {
  TempDir draft;
  std::string fs;
  LayerRow layer;
  LowerNeeds needs;
  KnownContents contents;
  std::optional<SealedTree> sealed;  // once nothing changes in it any more
};

namespace {

/// Walking twice through a tree of so many files is worth a second core.
constexpr std::size_t kManyFiles = 1000;

/// Of a tree from outside.
Result<SealedTree> witnessed_tree(const std::string& name, const std::string& path,
                                  const LayerRow& layer, const KnownContents& contents) {
  if (contents.size() < kManyFiles) {
    return sealed_tree(name, path, layer, TRY(witness_of_tree(path, contents)));
  }
  Result<Digest> witness = Digest{};
  cpu::Group beside;
  beside.run([&] { witness = witness_of_tree(path, contents); });
  Result<SealedTree> sealed = sealed_tree(name, path, layer, std::nullopt);
  beside.wait();
  if (sealed) {
    sealed->tree.witness = TRY(std::move(witness));
  }
  return sealed;
}

}  // namespace

Status LocalLayerStore::extract(const LayerBlob& layer, ReadAhead::Reader reader,
                                Unpacking& unpacking) {
  const auto blob = TRY(layer.open());
  ExtractedLayer extracted = TRY(extract_layer(*blob, unpacking.fs, reader));
  if (extracted.diff_id != layer.diff_id) {
    return data_loss("the unpacked bytes have digest {}", extracted.diff_id.str());
  }
  unpacking.layer = {.diff_id = layer.diff_id,
                     .changes = std::nullopt,
                     .size = extracted.size,
                     .created = std::time(nullptr)};
  unpacking.needs = std::move(extracted.needs);
  unpacking.contents = std::move(extracted.contents);
  if (unpacking.needs.empty()) {
    unpacking.sealed = TRY(witnessed_tree(independent_name(layer.diff_id), unpacking.fs,
                                          unpacking.layer, unpacking.contents));
  }
  return {};
}

/// When everything below is in place.
Status LocalLayerStore::settle(std::span<const Digest> chain, Unpacking& unpacking) {
  std::vector<std::string> lower;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    std::optional<std::string> below = TRY(tree(chain.first(i)));
    if (!below) {
      return internal_error("layer {} went while its chain was unpacked", chain[i - 1].str());
    }
    lower.push_back(std::move(*below));
  }
  TRY(settle_on_lower(unpacking.fs, lower, unpacking.needs));
  if (!unpacking.needs.links.empty()) {
    unpacking.contents
        .clear();  // files were copied up, maybe onto inodes that are known by another
  }
  unpacking.sealed =
      TRY(witnessed_tree(chain_name(chain), unpacking.fs, unpacking.layer, unpacking.contents));
  return {};
}

Status LocalLayerStore::unpack(const std::vector<LayerBlob>& chain, Lanes& lanes) {
  std::vector<Digest> ids;
  for (const LayerBlob& layer : chain) {
    ids.push_back(layer.diff_id);
  }
  const std::span<const Digest> all(ids);
  std::vector<std::size_t> missing;
  std::vector<Unpacking> work;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (TRY(tree(all.first(i + 1)))) {
      continue;
    }
    TempDir draft = TRY(session_->make());
    std::string fs = TRY(make_root(draft));
    missing.push_back(i);
    work.push_back({.draft = std::move(draft),
                    .fs = std::move(fs),
                    .layer = {},
                    .needs = {},
                    .contents = {},
                    .sealed = {}});
  }
  const auto context = [](const Digest& diff_id) { return "unpack layer " + diff_id.str(); };
  // Where each core has a layer of its own, handing bytes over to another one only costs.
  const auto reader =
      missing.size() < cpu::parallelism() ? ReadAhead::Reader::Thread : ReadAhead::Reader::Caller;
  TRY(lanes.fan_out(Lane::Disk, missing.size(), [&](std::size_t i) {
    const LayerBlob& layer = chain[missing[i]];
    return extract(layer, reader, work[i]).context(context(layer.diff_id));
  }));
  std::vector<Draft> ready;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (!work[i].sealed) {
      TRY(publish(std::exchange(ready, {})));
      TRY(settle(all.first(missing[i] + 1), work[i]).context(context(ids[missing[i]])));
    }
    ready.push_back({.dir = work[i].fs, .tree = std::move(*work[i].sealed)});
  }
  return publish(ready);
}

}  // namespace mybuild::snapshotter
