// SPDX-License-Identifier: Apache-2.0
// LocalLayerStore: the LayerStore of a state directory. Private to this box: layer_store.cc has its
// queries and blobs, layer_unpack.cc how trees come in.
#pragma once

#include "snapshotter/base/leases.h"
#include "snapshotter/blob_drafts.h"
#include "snapshotter/chain_fixup.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/read_ahead.h"
#include "snapshotter/session_dir.h"
#include "snapshotter/tree_guard.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter {

class LocalLayerStore final : public LayerStore {
 public:
  LocalLayerStore(std::string layers, std::unique_ptr<SessionDir> session,
                  std::unique_ptr<TreeGuard> guard, std::unique_ptr<Leases> leases,
                  ContentStore& content, Metadata& metadata);

  Result<TempDir> scratch() override { return session_->make(); }
  void discard(TempDir scratch) override { (void)session_->discard(scratch.path()); }
  Result<std::optional<std::string>> tree(std::span<const Digest> chain) override;
  Result<std::optional<std::vector<std::string>>> trees(std::span<const Digest> chain) override;
  Status unpack(const std::vector<LayerBlob>& chain, Lanes& lanes) override;
  Result<Layer> commit_tree(const std::string& dir, std::span<const CompressionSpec> forms,
                            const OnDraft& on_draft) override;
  Result<bool> has_layer_of(std::uint64_t size) override;
  Result<Layer> commit_changes(const ChangeRefs& changes, const EntryContents& contents,
                               std::span<const CompressionSpec> forms,
                               const OnDraft& on_draft) override;

  Status write_tar(const Digest& diff_id, Sink& sink) override;
  Result<oci::Descriptor> ensure_blob(const Digest& diff_id, CompressionSpec spec,
                                      TarOptions options, BlobChoice choice,
                                      const OnDraft& on_draft) override;
  Status add_original_blobs(std::span<const Layer> layers) override;
  Result<std::optional<oci::Descriptor>> original_blob(const Digest& diff_id) override;
  Status adopt(std::span<const Layer> layers, Lanes& lanes) override;
  Status add_imported_blobs(std::span<const Layer> layers) override;
  Status forget_original_blobs(std::span<const Digest> diff_ids) override;

  std::size_t damage_found() const override { return damage_found_; }
  Result<std::vector<StoredTree>> stored_trees() override;
  Result<std::vector<std::string>> remove_trees(std::span<const std::string> names) override;
  Result<TreeCondition> check_tree(const StoredTree& tree) override;
  Status drop_tree(const std::string& name) override { return drop_damaged(name); }
  Status empty_trash() override { return session_->empty_trash(); }
  Status sync(std::int64_t min_age) override;

 private:
  /// Names of a tree in its layer's directory, which say the form of its marks (whiteout.h). One
  /// without marks is stackable.
  static constexpr std::string_view kStackable = "fs";
  static constexpr std::string_view kPortable = "portable";

  // Trees that depend on the layers below have names of their own: their diff id alone must never
  // find them.
  static std::string independent_name(const Digest& diff_id) { return diff_id.hex(); }
  static std::string chain_name(std::span<const Digest> chain);
  std::string tree_path(const std::string& name, std::string_view form = kStackable) const;
  std::optional<std::string> find_tree(const std::string& name) const;
  Result<std::optional<std::string>> usable_tree(const std::string& name, const Digest& diff_id);
  Result<bool> is_own(const Digest& diff_id);
  /// From here on nobody removes it, and it counts as used now.
  Status use(const std::string& name);
  Result<bool> keep_if_unchanged(const std::string& path, const Digest& diff_id);
  /// Whether trees made now have overlayfs' marks. Only the first answer is tried out.
  Result<bool> makes_overlay_marks();
  Result<std::string> as_stackable(const std::string& name, const std::string& path,
                                   const Digest& diff_id);
  Status drop(const std::string& name);
  Status drop_damaged(const std::string& name);
  Status forget_clamped_blobs(const Digest& diff_id);
  Error lose(const std::string& name, const Digest& diff_id);
  Result<LayerRow> adoptable(const Layer& layer);

  // How trees come in.
  static Result<std::string> make_root(const TempDir& draft);
  struct Unpacking;
  Status extract(const LayerBlob& layer, ReadAhead::Reader reader, Unpacking& unpacking);
  Status settle(std::span<const Digest> chain, Unpacking& unpacking);
  /// A complete tree that is to get its name.
  struct Draft {
    std::string dir;
    SealedTree tree;
  };
  Status publish(std::span<const Draft> drafts);
  Result<bool> is_there_already(const Draft& draft);
  Status give_name(const Draft& draft);
  Status move_to(const std::string& dir, const std::string& name, std::string_view form);
  Result<Layer> commit(const std::string& dir, const LayerIdentity& identity);

  // Its bytes.
  Status put_blobs(std::span<const Layer> layers, std::string_view format);
  Status keep(BlobDrafts drafts, const Digest& diff_id, std::span<const CompressionSpec> forms);
  Status write_own_tar(const Digest& diff_id, Sink& sink, TarOptions options);
  Result<oci::Descriptor> compress(const Digest& diff_id, CompressionSpec spec, TarOptions options,
                                   const OnDraft& on_draft);
  Result<bool> is_what_unpacks(const std::string& tree, const Digest& blob);
  Status check_before_packing(const std::string& name, const Digest& diff_id);

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

}  // namespace mybuild::snapshotter
