// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/layer_store.h"

#include "snapshotter/background_hasher.h"
#include "snapshotter/base/leases.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/blob_format.h"
#include "snapshotter/chain_fixup.h"
#include "snapshotter/layer_builder.h"
#include "snapshotter/layer_extractor.h"
#include "snapshotter/lost_names.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/reserve.h"
#include "snapshotter/session_dir.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_guard.h"
#include "snapshotter/tree_scan.h"
#include "snapshotter/whiteout.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kOriginal = "original";
constexpr std::string_view kImported = "imported";
/// Names of a tree in its layer's directory, which say the form of its marks (whiteout.h). One
/// without marks is stackable.
constexpr std::string_view kStackable = "fs";
constexpr std::string_view kPortable = "portable";
/// A tree that was used less than so many seconds ago is not marked again.
constexpr std::int64_t kUseGranularity = 1;

/// Passes what it is given on to two sinks.
class TeeSink final : public Sink {
 public:
  TeeSink(Sink& first, Sink& second) : first_(first), second_(second) {}
  Status write(ByteSpan bytes) override {
    TRY(first_.write(bytes));
    return second_.write(bytes);
  }

 private:
  Sink& first_;
  Sink& second_;
};

class LocalLayerStore final : public LayerStore {
 public:
  LocalLayerStore(std::string layers, std::unique_ptr<SessionDir> session,
                  std::unique_ptr<TreeGuard> guard, std::unique_ptr<Leases> leases,
                  ContentStore& content, Metadata& metadata)
      : layers_(std::move(layers)),
        session_(std::move(session)),
        guard_(std::move(guard)),
        leases_(std::move(leases)),
        content_(content),
        metadata_(metadata) {}

  Result<TempDir> scratch() override { return session_->make(); }

  Result<std::optional<std::string>> tree(std::span<const Digest> chain) override {
    if (chain.empty()) {
      return std::optional<std::string>();
    }
    std::optional<std::string> path =
        TRY(usable_tree(independent_name(chain.back()), chain.back()));
    if (path) {
      return path;
    }
    return usable_tree(chain_name(chain), chain.back());  // a hash per layer, so only now
  }

  Result<std::optional<std::vector<std::string>>> trees(std::span<const Digest> chain) override {
    std::vector<std::string> paths;
    bool is_whole = true;
    for (std::size_t count = 1; count <= chain.size(); ++count) {
      std::optional<std::string> path = TRY(tree(chain.first(count)));
      // All damage is found at once, so that one more build mends it.
      is_whole = path && TRY(keep_if_unchanged(*path, chain[count - 1]))
      &&is_whole;
      if (path) {
        paths.push_back(std::move(*path));
      }
    }
    return is_whole ? std::optional(std::move(paths)) : std::optional<std::vector<std::string>>();
  }

  Status unpack(const std::vector<LayerBlob>& chain, Lanes& lanes) override;

  Result<Layer> commit_tree(const std::string& dir) override {
    const LayerIdentity identity = TRY(identify_tree(dir).context("commit layer"));
    return commit(dir, identity);
  }

  Result<Layer> commit_changes(ChangeList changes, const EntryContents& contents) override {
    const TempDir draft = TRY(session_->make());
    const std::string fs = TRY(make_root(draft));
    const LayerIdentity identity =
        TRY(realise_changes(changes, contents, fs).context("commit layer"));
    return commit(fs, identity);
  }

  Status write_tar(const Digest& diff_id, Sink& sink) override {
    const auto blob = TRY(original_blob(diff_id));
    if (blob && (TRY(content_.stat(blob->digest)) || !TRY(is_own(diff_id)))) {
      FileSource compressed(TRY(content_.open(blob->digest)));
      const auto plain = TRY(make_decompressor(compressed));
      TRY(copy(*plain, sink));
      return {};
    }
    return write_own_tar(diff_id, sink, {});
  }

  Result<oci::Descriptor> ensure_blob(const Digest& diff_id, CompressionSpec spec,
                                      TarOptions options, BlobChoice choice) override {
    auto original = TRY(original_blob(diff_id));
    if (original && !TRY(content_.stat(original->digest)) && TRY(is_own(diff_id))) {
      original.reset();  // its blob is gone, but its tree can be packed
    }
    if (original && choice == BlobChoice::AsItCame) {
      if (!oci::is_uncompressed_layer(original->media_type) ||
          spec.compression == oci::Compression::None) {
        return std::move(*original);
      }
      options = {};  // its tar is what the image's config names
    }
    if (choice == BlobChoice::AsItCame && !spec.force && !options.max_mtime) {
      if (auto blob = TRY(metadata_.find_layer_blob(diff_id, std::string(kImported)))) {
        if (TRY(content_.stat(blob->digest))) {
          return std::move(*blob);
        }
      }
    }
    const std::string format = blob_format(spec, options);
    if (auto blob = TRY(metadata_.find_layer_blob(diff_id, format))) {
      if (TRY(content_.stat(blob->digest))) {
        return std::move(*blob);
      }
    }
    oci::Descriptor blob = TRY(compress(diff_id, spec, options));
    TRY(metadata_.put_layer_blob(diff_id, format, blob));
    return blob;
  }

  Status add_original_blob(const Digest& diff_id, const oci::Descriptor& blob) override {
    return metadata_.put_layer_blob(diff_id, std::string(kOriginal), blob);
  }

  Result<std::optional<oci::Descriptor>> original_blob(const Digest& diff_id) override {
    return metadata_.find_layer_blob(diff_id, std::string(kOriginal));
  }

  Status adopt(const Digest& diff_id, const Digest& changes) override;
  Status add_imported_blob(const Digest& diff_id, const oci::Descriptor& blob) override {
    return metadata_.put_layer_blob(diff_id, std::string(kImported), blob);
  }
  Status forget_original_blob(const Digest& diff_id) override {
    return metadata_.forget_layer_blob(diff_id, std::string(kOriginal));
  }

  std::size_t damage_found() const override { return damage_found_; }

  Result<std::vector<StoredTree>> stored_trees() override;
  Result<std::vector<std::string>> remove_trees(std::span<const std::string> names) override;
  Result<TreeCondition> check_tree(const StoredTree& tree) override;
  Status drop_tree(const std::string& name) override { return drop_damaged(name); }
  Status empty_trash() override { return session_->empty_trash(); }
  Status sync(std::int64_t min_age) override;

 private:
  // Trees that depend on the layers below have names of their own: their diff id alone must never
  // find them.
  static std::string independent_name(const Digest& diff_id) { return diff_id.hex(); }
  static std::string chain_name(std::span<const Digest> chain) {
    return "chain-" + oci::chain_id({chain.begin(), chain.end()}, chain.size()).hex();
  }
  std::string tree_path(const std::string& name, std::string_view form = kStackable) const {
    return join_path(join_path(layers_, name), form);
  }
  std::optional<std::string> find_tree(const std::string& name) const {
    for (const std::string_view form : {kStackable, kPortable}) {
      if (std::string path = tree_path(name, form); sys::exists_at(AT_FDCWD, path)) {
        return path;
      }
    }
    return std::nullopt;
  }
  Result<std::optional<std::string>> usable_tree(const std::string& name, const Digest& diff_id) {
    TRY(use(name));
    const std::optional<std::string> path = find_tree(name);
    if (!path) {
      return std::optional<std::string>();
    }
    if (!TRY(guard_->survived(name, *path, diff_id))) {
      TRY(drop(name));
      return std::optional<std::string>();
    }
    std::string stackable = TRY(as_stackable(name, *path, diff_id));
    return std::optional(std::move(stackable));
  }

  Result<bool> is_own(const Digest& diff_id) {
    const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
    return row && row->changes;
  }

  /// From here on nobody removes it, and it counts as used now.
  Status use(const std::string& name) {
    if (!TRY(leases_->hold(Leases::tree(name)))) {
      return {};
    }
    const std::string home = join_path(layers_, name);
    const Result<struct stat> info = sys::lstat_at(AT_FDCWD, home);
    const std::int64_t now = std::time(nullptr);
    if (info && info->st_atim.tv_sec + kUseGranularity < now) {
      (void)sys::set_access_time_at(AT_FDCWD, home, now);  // on a read-only disk it stays
    }
    return {};
  }

  Result<bool> keep_if_unchanged(const std::string& path, const Digest& diff_id) {
    const std::string name(base_name(path.substr(0, path.rfind('/'))));
    if (TRY(guard_->is_unchanged(name, path, diff_id))) {
      return true;
    }
    ++damage_found_;
    TRY(drop_damaged(name));
    return false;
  }

  /// Whether trees made now have overlayfs' marks. Only the first answer is tried out.
  Result<bool> makes_overlay_marks() {
    const std::lock_guard lock(marks_mutex_);
    if (!overlay_marks_) {
      const TempDir draft = TRY(session_->make());
      overlay_marks_ = TRY(holds_overlay_marks(draft.path()));
    }
    return *overlay_marks_;
  }

  /// A store that was filled where overlayfs' marks were impossible is used where they are not. The
  /// portable tree stays, as others may be reading it.
  Result<std::string> as_stackable(const std::string& name, const std::string& path,
                                   const Digest& diff_id) {
    if (path == tree_path(name) || !TRY(makes_overlay_marks())) {
      return path;
    }
    const TempDir draft = TRY(session_->make());
    const std::string fs = TRY(make_root(draft));
    Fd from = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
    const struct stat info = TRY(sys::fstat(from.get()));
    const Entry root = TRY(read_directory_entry(from.get(), info, {}, TreeForm::Plain));
    ChangeList changes = TRY(scan_layer_tree(from.get()))
    .changes;
    const std::unique_ptr<EntryContents> contents = tree_contents(std::move(from));
    (void)TRY(realise_changes(changes, *contents, fs).context("copy layer tree " + name));
    const Fd to = TRY(sys::open(fs, O_RDONLY | O_DIRECTORY));
    TRY(finish_directory(to.get(), root));
    const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
    const std::optional<TreeRow> portable = TRY(metadata_.trees().find(name));
    TRY(guard_->before_publish(
        name, fs,
        row.value_or(LayerRow{.diff_id = diff_id, .changes = {}, .size = 0, .created = 0}),
        portable ? portable->witness : std::nullopt));
    TRY(move_to(fs, name, kStackable));
    return tree_path(name);
  }

  Status drop(const std::string& name) {
    TRY(session_->discard(tree_path(name)));
    TRY(session_->discard(tree_path(name, kPortable)));
    return guard_->dropped(name);
  }

  /// Steps may have read the tree as somebody changed it, so what was recorded since it was made
  /// goes with it; when it was changed nobody knows, as of a file that was written twice only the
  /// last time shows. What a power cut tore nobody has read like that.
  Status drop_damaged(const std::string& name) {
    const bool torn = guard_->is_suspect(name);
    const std::optional<TreeRow> row = TRY(metadata_.trees().find(name));
    TRY(drop(name));
    if (torn) {
      return {};
    }
    TRY(metadata_.forget_records_since(row ? row->created : 0));
    return row ? forget_clamped_blobs(row->diff_id) : Status();
  }

  /// Blobs whose digest nobody could compare with the layer's.
  Status forget_clamped_blobs(const Digest& diff_id) {
    for (const LayerBlobRow& blob : TRY(metadata_.layer_blobs())) {
      if (blob.diff_id == diff_id && is_clamped(blob.format)) {
        TRY(metadata_.forget_layer_blob(diff_id, blob.format));
      }
    }
    return {};
  }

  /// The root of a tree that is about to be filled, with the metadata "/" has in every builder.
  static Result<std::string> make_root(const TempDir& draft) {
    std::string fs = join_path(draft.path(), "fs");
    TRY(sys::mkdir_at(AT_FDCWD, fs, 0755));
    TRY(sys::fchmod_at(AT_FDCWD, fs, 0755));
    return fs;
  }

  /// Gives a complete tree its name, by one rename. An equal tree that is already there wins.
  Status publish(const std::string& dir, const std::string& name, const LayerRow& layer,
                 const std::optional<Digest>& witness) {
    TRY(use(name));
    if (guard_->is_suspect(name)) {
      TRY(drop(name));
    }
    const bool overlay_marks = TRY(makes_overlay_marks());
    if (overlay_marks ? sys::exists_at(AT_FDCWD, tree_path(name)) : find_tree(name).has_value()) {
      TRY(metadata_.trees().put_layer(layer));  // a database that is new does not know it
      return session_->discard(dir);
    }
    std::string_view form = kStackable;
    if (!overlay_marks) {
      const Fd root = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
      form = TRY(has_portable_marks(root.get()))
      ? kPortable : kStackable;
    }
    TRY(guard_->before_publish(name, dir, layer, witness));
    return move_to(dir, name, form);
  }

  Status move_to(const std::string& dir, const std::string& name, std::string_view form) {
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

  Result<Layer> commit(const std::string& dir, const LayerIdentity& identity) {
    TRY(forget_root(dir));
    TRY(publish(dir, independent_name(identity.diff_id),
                {.diff_id = identity.diff_id,
                 .changes = identity.changes,
                 .size = identity.size,
                 .created = std::time(nullptr)},
                std::nullopt));
    Layer layer;
    layer.diff_id = identity.diff_id;
    layer.changes = identity.changes;
    layer.size = identity.size;
    return layer;
  }

  /// No layer made here says anything of "/" itself, so what a step did to it must not live on in
  /// the tree either: equal layers would not be equal.
  static Status forget_root(const std::string& dir) {
    const Fd root = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
    for (const std::string& attribute : TRY(sys::list_xattrs(root.get()))) {
      if (!is_overlay_xattr(attribute)) {
        TRY(sys::remove_xattr(root.get(), attribute));
      }
    }
    TRY(sys::fchown(root.get(), ::geteuid(), ::getegid()));
    return sys::fchmod(root.get(), 0755);
  }

  /// The tar of a layer that was made here.
  Status write_own_tar(const Digest& diff_id, Sink& sink, TarOptions options) {
    const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
    if (!row || !row->changes) {
      return not_found("layer {} is not in the store", diff_id.str());
    }
    const std::string name = independent_name(diff_id);
    Fd root = TRY(sys::open(find_tree(name).value_or(tree_path(name)), O_RDONLY | O_DIRECTORY)
                      .context(fmt::format("layer {}", diff_id.str())));
    ScannedTree tree = TRY(scan_layer_tree(root.get()));
    const std::unique_ptr<EntryContents> contents = tree_contents(std::move(root));
    return write_layer_tar(tree.changes, *contents, sink, options);
  }

  Result<oci::Descriptor> compress(const Digest& diff_id, CompressionSpec spec,
                                   TarOptions options) {
    const std::string name = independent_name(diff_id);
    if (options.max_mtime) {  // or a copy of the state directory would look changed below
      TRY(check_before_packing(name, diff_id));
    }
    const std::unique_ptr<Ingest> ingest = TRY(content_.begin({}));
    const std::unique_ptr<Compressor> compressor = make_compressor(spec, *ingest);
    BackgroundHasher hasher;
    TeeSink both(hasher, *compressor);
    TRY(options.max_mtime ? write_own_tar(diff_id, both, options) : write_tar(diff_id, both));
    TRY(compressor->finish());
    const Digest tar = hasher.finish();
    // A clamped tar has another digest anyway, so there the seal tells.
    const std::optional<std::string> path = find_tree(name);
    const bool is_changed = options.max_mtime ? !path || !TRY(guard_->has_its_seal(name, *path))
                                              : tar != diff_id;
                                              if (is_changed) {
                                                return lose(name, diff_id);
                                              }
                                              const BlobInfo info =
                                                  TRY(std::move(*ingest).commit());
                                              oci::Descriptor blob;
                                              blob.media_type =
                                                  oci::layer_media_type(spec.compression);
                                              blob.digest = info.digest;
                                              blob.size = info.size;
                                              if (options.max_mtime) {
                                                // The clamped tar is another layer to whoever
                                                // unpacks it, so its own diff id travels along.
                                                blob.annotations[std::string(
                                                    kUncompressedAnnotation)] = tar.str();
                                              }
                                              return blob;
  }

  Result<bool> is_what_unpacks(const std::string& tree, const Digest& blob);
  Status check_before_packing(const std::string& name, const Digest& diff_id) {
    const std::optional<std::string> path = find_tree(name);
    return path && !TRY(guard_->is_unchanged(name, *path, diff_id))
    ? lose(name, diff_id) : Status();
  }

  Error lose(const std::string& name, const Digest& diff_id) {
    ++damage_found_;
    if (const Status dropped = drop_damaged(name); !dropped) {
      return dropped.error();
    }
    return data_loss("the files of layer {} in {} were changed by something else than mybuild",
                     diff_id.str(), join_path(layers_, name))
        .with_hint("the layer was removed; a build makes it again, as do pull and load");
  }

  struct Unpacking;
  Status extract(const LayerBlob& layer, Unpacking& unpacking);
  Status settle(std::span<const Digest> chain, Unpacking& unpacking);

  const std::string layers_;
  const std::unique_ptr<SessionDir> session_;
  const std::unique_ptr<TreeGuard> guard_;
  const std::unique_ptr<Leases> leases_;
  ContentStore& content_;
  Metadata& metadata_;
  std::mutex marks_mutex_;
  std::optional<bool> overlay_marks_;
  std::atomic<std::size_t> damage_found_{0};
};

/// A layer of a chain on its way into the store.
struct LocalLayerStore::Unpacking {
  TempDir draft;
  std::string fs;
  std::uint64_t size = 0;
  LowerNeeds needs;
  KnownContents contents;
};

Status LocalLayerStore::extract(const LayerBlob& layer, Unpacking& unpacking) {
  const auto blob = TRY(layer.open());
  ExtractedLayer extracted = TRY(extract_layer(*blob, unpacking.fs));
  if (extracted.diff_id != layer.diff_id) {
    return data_loss("the unpacked bytes have digest {}", extracted.diff_id.str());
  }
  unpacking.size = extracted.size;
  unpacking.needs = std::move(extracted.needs);
  unpacking.contents = std::move(extracted.contents);
  return {};
}

/// In chain order, when everything below is in place.
Status LocalLayerStore::settle(std::span<const Digest> chain, Unpacking& unpacking) {
  std::string name = independent_name(chain.back());
  if (!unpacking.needs.empty()) {
    std::vector<std::string> lower;
    for (std::size_t i = 1; i < chain.size(); ++i) {
      const std::optional<std::string> below = TRY(tree(chain.first(i)));
      if (!below) {
        return internal_error("layer {} went while its chain was unpacked", chain[i - 1].str());
      }
      lower.push_back(*below);
    }
    TRY(settle_on_lower(unpacking.fs, lower, unpacking.needs));
    name = chain_name(chain);
    if (!unpacking.needs.links.empty()) {
      unpacking.contents
          .clear();  // files were copied up, maybe onto inodes that are known by another
    }
  }
  const Digest witness = TRY(witness_of_tree(unpacking.fs, unpacking.contents));
  return publish(unpacking.fs, name,
                 {.diff_id = chain.back(),
                  .changes = std::nullopt,
                  .size = unpacking.size,
                  .created = std::time(nullptr)},
                 witness);
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
    work.push_back(
        {.draft = std::move(draft), .fs = std::move(fs), .size = 0, .needs = {}, .contents = {}});
  }
  TRY(lanes.fan_out(Lane::Disk, missing.size(), [&](std::size_t i) {
    const LayerBlob& layer = chain[missing[i]];
    return extract(layer, work[i]).context(fmt::format("unpack layer {}", layer.diff_id.str()));
  }));
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const std::size_t layer = missing[i];
    TRY(settle(all.first(layer + 1), work[i])
            .context(fmt::format("unpack layer {}", ids[layer].str())));
  }
  return {};
}

Status LocalLayerStore::adopt(const Digest& diff_id, const Digest& changes) {
  const std::optional<std::string> path = TRY(usable_tree(independent_name(diff_id), diff_id));
  if (!path) {
    return data_loss("layer {} leans on the layers below it, as none does that a build makes",
                     diff_id.str());
  }
  const LayerIdentity identity = TRY(identify_stored_tree(*path));
  if (identity.diff_id != diff_id || identity.changes != changes) {
    return data_loss("layer {} is not what it is said to be: it changes {}, not {}", diff_id.str(),
                     identity.changes.str(), changes.str());
  }
  return metadata_.trees().put_layer({.diff_id = diff_id,
                                      .changes = changes,
                                      .size = identity.size,
                                      .created = std::time(nullptr)});
}

Result<std::vector<StoredTree>> LocalLayerStore::stored_trees() {
  const Fd dir = TRY(sys::open(layers_, O_RDONLY | O_DIRECTORY));
  std::map<std::string, TreeRow> rows;
  for (TreeRow& row : TRY(metadata_.trees().all())) {
    std::string name = row.name;
    rows.emplace(std::move(name), std::move(row));
  }
  std::vector<StoredTree> trees;
  for (const DirItem& item : TRY(read_dir(dir.get()))) {
    const Result<struct stat> home = sys::lstat_at(dir.get(), item.name);
    if (!home) {
      continue;  // removed meanwhile
    }
    StoredTree tree;
    tree.name = item.name;
    tree.created = home->st_mtim.tv_sec;
    if (const auto row = rows.find(item.name); row != rows.end()) {
      tree.diff_id = row->second.diff_id;
      tree.size = row->second.size;
      tree.disk = row->second.disk != 0 ? row->second.disk : row->second.size;
      tree.created = row->second.created;
      rows.erase(row);
    } else if (const Result<Digest> diff_id = Digest::parse("sha256:" + item.name)) {
      tree.diff_id = *diff_id;
    }
    tree.last_used = home->st_atim.tv_sec;
    trees.push_back(std::move(tree));
  }
  for (auto& [name, row] : rows) {  // a tree that somebody removed by hand: only its row is here
    trees.push_back(
        {.name = name, .diff_id = row.diff_id, .size = 0, .disk = 0, .created = 0, .last_used = 0});
  }
  return trees;
}

Result<TreeCondition> LocalLayerStore::check_tree(const StoredTree& tree) {
  TRY(use(tree.name));
  const std::optional<std::string> path = find_tree(tree.name);
  if (!path) {
    return TreeCondition::Missing;
  }
  if (const std::optional<bool> whole = TRY(guard_->is_whole(tree.name, *path, tree.diff_id))) {
    return *whole ? TreeCondition::Whole : TreeCondition::Changed;
  }
  if (!TRY(guard_->survived(tree.name, *path, tree.diff_id)) ||
      !TRY(guard_->is_unchanged(tree.name, *path, tree.diff_id))) {
    return TreeCondition::Changed;
  }
  const std::optional<oci::Descriptor> blob = TRY(original_blob(tree.diff_id));
  if (!blob || tree.name != independent_name(tree.diff_id) || !TRY(content_.stat(blob->digest))) {
    return TreeCondition::Whole;
  }
  const Result<bool> same = is_what_unpacks(*path, blob->digest);
  if (const int code = same ? 0 : same.error().os_errno();
      code == ENOSPC || code == EDQUOT || code == EROFS) {
    return TreeCondition::Whole;  // no room to compare it
  }
  return TRY(same)
  ? TreeCondition::Whole : TreeCondition::Changed;
}

Result<bool> LocalLayerStore::is_what_unpacks(const std::string& tree, const Digest& blob) {
  const TempDir draft = TRY(session_->make());
  const std::string again = TRY(make_root(draft));
  FileSource source(TRY(content_.open(blob)));
  TRY(extract_layer(source, again));
  const LayerIdentity wanted = TRY(identify_stored_tree(again));
  const Result<LayerIdentity> is = identify_stored_tree(tree);
  if (!is && is.error().kind() == ErrorKind::Unavailable) {
    return is.error();  // no descriptors, say
  }
  return is && is->diff_id == wanted.diff_id;
}

/// The rows go first: a tree without a row is removed by the next collector, a row without a tree
/// would make a tree of that name that comes later look changed.
Result<std::vector<std::string>> LocalLayerStore::remove_trees(std::span<const std::string> names) {
  constexpr std::size_t kBatch = 256;
  constexpr std::size_t kBatchOnFullDisk = 8;
  std::vector<std::string> gone;
  while (!names.empty()) {
    const bool is_full = TRY(is_disk_full(layers_));
    const std::span<const std::string> batch =
        names.first(std::min(is_full ? kBatchOnFullDisk : kBatch, names.size()));
    names = names.subspan(batch.size());
    Removals removals = TRY(leases_->removals());  // released with the batch
    std::vector<std::string> free;
    for (const std::string& name : batch) {
      if (TRY(removals.take(Leases::tree(name)))) {
        free.push_back(name);
      }
    }
    TRY(metadata_.trees().remove(free));
    for (const std::string& name : free) {
      TRY(session_->discard(join_path(layers_, name)));
      gone.push_back(name);
    }
    if (is_full) {  // or the rows of the next ones have no room to go
      TRY(session_->empty_trash());
    }
  }
  return gone;
}

Status LocalLayerStore::sync(std::int64_t min_age) {
  const std::int64_t now = std::time(nullptr);
  std::vector<std::int64_t> complete;
  bool is_due = false;
  for (const TreeTable::Unsynced& tree : TRY(metadata_.trees().unsynced())) {
    if (find_tree(tree.name)) {  // else its rename may still be to come
      complete.push_back(tree.id);
      is_due = is_due || now - tree.created >= min_age;
    }
  }
  if (!is_due) {
    return {};
  }
  const Fd dir = TRY(sys::open(layers_, O_RDONLY | O_DIRECTORY));
  TRY(sys::syncfs(dir.get()));
  return metadata_.trees().mark_synced(complete);
}

}  // namespace

Result<std::unique_ptr<LayerStore>> LayerStore::open(const std::string& root, ContentStore& content,
                                                     Metadata& metadata, const Warn& warn) {
  std::string layers = join_path(root, "layers");
  TRY(make_dirs(layers, 0700));
  std::unique_ptr<SessionDir> session = TRY(SessionDir::open(root));
  std::unique_ptr<TreeGuard> guard = TRY(TreeGuard::open(root, layers, metadata));
  if (guard->is_first_of_boot()) {
    forget_lost_names(content, metadata, warn);
  }
  std::unique_ptr<Leases> leases = TRY(Leases::open(root));
  return std::unique_ptr<LayerStore>(
      std::make_unique<LocalLayerStore>(std::move(layers), std::move(session), std::move(guard),
                                        std::move(leases), content, metadata));
}

}  // namespace mybuild::snapshotter
