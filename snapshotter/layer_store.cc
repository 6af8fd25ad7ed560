// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/layer_store.h"

#include "snapshotter/background_hasher.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/blob_format.h"
#include "snapshotter/layer_builder.h"
#include "snapshotter/layer_extractor.h"
#include "snapshotter/local_layer_store.h"
#include "snapshotter/lost_names.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/reserve.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_scan.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kOriginal = "original";
constexpr std::string_view kImported = "imported";
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

}  // namespace

LocalLayerStore::LocalLayerStore(std::string layers, std::unique_ptr<SessionDir> session,
                                 std::unique_ptr<TreeGuard> guard, std::unique_ptr<Leases> leases,
                                 ContentStore& content, Metadata& metadata)
    : layers_(std::move(layers)),
      session_(std::move(session)),
      guard_(std::move(guard)),
      leases_(std::move(leases)),
      content_(content),
      metadata_(metadata) {}

std::string LocalLayerStore::chain_name(std::span<const Digest> chain) {
  return "chain-" + oci::chain_id({chain.begin(), chain.end()}, chain.size()).hex();
}

std::string LocalLayerStore::tree_path(const std::string& name, std::string_view form) const {
  return join_path(join_path(layers_, name), form);
}

std::optional<std::string> LocalLayerStore::find_tree(const std::string& name) const {
  for (const std::string_view form : {kStackable, kPortable}) {
    if (std::string path = tree_path(name, form); sys::exists_at(AT_FDCWD, path)) {
      return path;
    }
  }
  return std::nullopt;
}

Result<std::optional<std::string>> LocalLayerStore::tree(std::span<const Digest> chain) {
  if (chain.empty()) {
    return std::optional<std::string>();
  }
  std::optional<std::string> path = TRY(usable_tree(independent_name(chain.back()), chain.back()));
  if (path) {
    return path;
  }
  return usable_tree(chain_name(chain), chain.back());  // a hash per layer, so only now
}

Result<std::optional<std::vector<std::string>>> LocalLayerStore::trees(
    std::span<const Digest> chain) {
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

Result<std::optional<std::string>> LocalLayerStore::usable_tree(const std::string& name,
                                                                const Digest& diff_id) {
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

Result<bool> LocalLayerStore::is_own(const Digest& diff_id) {
  const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
  return row && row->changes;
}

Status LocalLayerStore::use(const std::string& name) {
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

Result<bool> LocalLayerStore::keep_if_unchanged(const std::string& path, const Digest& diff_id) {
  const std::string name(base_name(path.substr(0, path.rfind('/'))));
  if (TRY(guard_->is_unchanged(name, path, diff_id))) {
    return true;
  }
  ++damage_found_;
  TRY(drop_damaged(name));
  return false;
}

Status LocalLayerStore::drop(const std::string& name) {
  TRY(session_->discard(tree_path(name)));
  TRY(session_->discard(tree_path(name, kPortable)));
  return guard_->dropped(name);
}

/// Steps may have read the tree as somebody changed it, so what was recorded since it was made
/// goes with it; when it was changed nobody knows, as of a file that was written twice only the
/// last time shows. What a power cut tore nobody has read like that.
Status LocalLayerStore::drop_damaged(const std::string& name) {
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
Status LocalLayerStore::forget_clamped_blobs(const Digest& diff_id) {
  for (const LayerBlobRow& blob : TRY(metadata_.layer_blobs())) {
    if (blob.diff_id == diff_id && is_clamped(blob.format)) {
      TRY(metadata_.forget_layer_blob(diff_id, blob.format));
    }
  }
  return {};
}

Error LocalLayerStore::lose(const std::string& name, const Digest& diff_id) {
  ++damage_found_;
  if (const Status dropped = drop_damaged(name); !dropped) {
    return dropped.error();
  }
  return data_loss("the files of layer {} in {} were changed by something else than mybuild",
                   diff_id.str(), join_path(layers_, name))
      .with_hint("the layer was removed; a build makes it again, as do pull and load");
}

Status LocalLayerStore::write_tar(const Digest& diff_id, Sink& sink) {
  const auto blob = TRY(original_blob(diff_id));
  if (blob && (TRY(content_.stat(blob->digest)) || !TRY(is_own(diff_id)))) {
    FileSource compressed(TRY(content_.open(blob->digest)));
    const auto plain = TRY(make_decompressor(compressed));
    TRY(copy(*plain, sink));
    return {};
  }
  return write_own_tar(diff_id, sink, {});
}

/// The tar of a layer that was made here.
Status LocalLayerStore::write_own_tar(const Digest& diff_id, Sink& sink, TarOptions options) {
  const std::optional<LayerRow> row = TRY(metadata_.find_layer(diff_id));
  if (!row || !row->changes) {
    return not_found("layer {} is not in the store", diff_id.str());
  }
  const std::string name = independent_name(diff_id);
  Fd root = TRY(sys::open(find_tree(name).value_or(tree_path(name)), O_RDONLY | O_DIRECTORY)
                    .context(fmt::format("layer {}", diff_id.str())));
  const ScannedTree tree = TRY(scan_layer_tree(root.get()));
  const std::unique_ptr<EntryContents> contents = tree_contents(std::move(root));
  return write_unhashed_layer_tar(tree.changes, *contents, sink, options);
}

Result<oci::Descriptor> LocalLayerStore::ensure_blob(const Digest& diff_id, CompressionSpec spec,
                                                     TarOptions options, BlobChoice choice,
                                                     const OnDraft& on_draft) {
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
  oci::Descriptor blob = TRY(compress(diff_id, spec, options, on_draft));
  TRY(metadata_.put_layer_blob(diff_id, format, blob));
  return blob;
}

Result<oci::Descriptor> LocalLayerStore::compress(const Digest& diff_id, CompressionSpec spec,
                                                  TarOptions options, const OnDraft& on_draft) {
  const std::string name = independent_name(diff_id);
  if (options.max_mtime) {  // or a copy of the state directory would look changed below
    TRY(check_before_packing(name, diff_id));
  }
  BlobDrafts draft = TRY(BlobDrafts::begin(content_, std::span(&spec, 1), on_draft));
  BackgroundHasher hasher;
  TeeSink both(hasher, draft);
  TRY(options.max_mtime ? write_own_tar(diff_id, both, options) : write_tar(diff_id, both));
  TRY(draft.finish());
  const Digest tar = hasher.finish();
  // A clamped tar has another digest anyway, so there the seal tells.
  const std::optional<std::string> path = find_tree(name);
  bool is_changed = tar != diff_id;
  if (options.max_mtime) {
    is_changed = !path || !TRY(guard_->has_its_seal(name, *path));
  }
  if (is_changed) {
    return lose(name, diff_id);
  }
  oci::Descriptor blob = std::move(TRY(std::move(draft).commit()).front());
  if (options.max_mtime) {
    // The clamped tar is another layer to whoever unpacks it, so its own diff id travels along.
    blob.annotations[std::string(kUncompressedAnnotation)] = tar.str();
  }
  return blob;
}

/// Of a layer that has just come in: its blobs get their names, and are remembered.
Status LocalLayerStore::keep(BlobDrafts drafts, const Digest& diff_id,
                             std::span<const CompressionSpec> forms) {
  if (forms.empty()) {
    return {};
  }
  TRY(drafts.finish());
  const std::vector<oci::Descriptor> blobs = TRY(std::move(drafts).commit());
  std::vector<LayerBlobRow> rows;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    rows.push_back({.diff_id = diff_id, .format = blob_format(forms[i], {}), .blob = blobs[i]});
  }
  return metadata_.put_layer_blobs(rows);
}

Status LocalLayerStore::check_before_packing(const std::string& name, const Digest& diff_id) {
  const std::optional<std::string> path = find_tree(name);
  const bool is_changed = path && !TRY(guard_->is_unchanged(name, *path, diff_id));
  return is_changed ? lose(name, diff_id) : Status();
}

Status LocalLayerStore::put_blobs(std::span<const Layer> layers, std::string_view format) {
  std::vector<LayerBlobRow> rows;
  for (const Layer& layer : layers) {
    rows.push_back(
        {.diff_id = layer.diff_id, .format = std::string(format), .blob = layer.blob.value()});
  }
  return rows.empty() ? Status() : metadata_.put_layer_blobs(rows);
}

Status LocalLayerStore::add_original_blobs(std::span<const Layer> layers) {
  return put_blobs(layers, kOriginal);
}

Status LocalLayerStore::add_imported_blobs(std::span<const Layer> layers) {
  return put_blobs(layers, kImported);
}

Result<std::optional<oci::Descriptor>> LocalLayerStore::original_blob(const Digest& diff_id) {
  return metadata_.find_layer_blob(diff_id, std::string(kOriginal));
}

Status LocalLayerStore::forget_original_blobs(std::span<const Digest> diff_ids) {
  return diff_ids.empty() ? Status()
                          : metadata_.forget_layer_blobs(diff_ids, std::string(kOriginal));
}

Result<LayerRow> LocalLayerStore::adoptable(const Layer& layer) {
  const Digest& diff_id = layer.diff_id;
  const Digest& changes = *layer.changes;
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
  return LayerRow{
      .diff_id = diff_id, .changes = changes, .size = identity.size, .created = std::time(nullptr)};
}

Status LocalLayerStore::adopt(std::span<const Layer> layers, Lanes& lanes) {
  std::vector<LayerRow> rows(layers.size());
  TRY(lanes.fan_out(Lane::Disk, layers.size(), [&](std::size_t i) -> Status {
    rows[i] = TRY(adoptable(layers[i]));
    return {};
  }));
  return metadata_.trees().put_layers(rows);
}

Result<bool> LocalLayerStore::has_layer_of(std::uint64_t size) {
  const std::vector<LayerRow> rows = TRY(metadata_.layers());
  return std::any_of(rows.begin(), rows.end(),
                     [size](const LayerRow& row) { return row.size == size; });
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
  const bool is_same = TRY(same);
  return is_same ? TreeCondition::Whole : TreeCondition::Changed;
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
