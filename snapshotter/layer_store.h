// SPDX-License-Identifier: Apache-2.0
// LayerStore: layers by content hash, lazily in both directions: a layer may be a blob that nobody
// unpacked yet, a tree that nobody compressed yet, or both. Trees live in layers/<diff id>/fs in
// "layer tree" form: deletions look as whiteout.h says, in overlayfs' form, so it can stack them as
// they are; or in layers/<diff id>/portable where they are in the other form, which overlayfs must
// not see. A tree appears under its name by one rename when it is complete. Thread-safe, and safe
// between processes.
#pragma once

#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/entry.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/growing_blob.h"
#include "snapshotter/metadata.h"
#include "snapshotter/oci/descriptor.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter {

/// A layer of a chain as a build knows it. `changes` is the zero digest for foreign layers (their
/// ids are diff ids).
struct Layer {
  Digest diff_id;
  std::optional<Digest> changes;        // change_digest(), for layers made here
  std::optional<oci::Descriptor> blob;  // as it came or was asked for
  std::uint64_t size = 0;               // bytes of file contents, when known
};

/// Where a layer's blob comes from when its tree is missing.
struct LayerBlob {
  Digest diff_id;
  std::function<Result<std::unique_ptr<Source>>()>
      open;  // compressed or not; called at most once, from any thread
};

/// A layer tree, as it takes space.
struct StoredTree {
  std::string name;            // of its directory in layers/
  Digest diff_id;              // zero when nobody knows it any more
  std::uint64_t size = 0;      // of the contents of its files
  std::uint64_t disk = 0;      // of its blocks; the same where nobody noted it
  std::int64_t created = 0;    // seconds since the epoch
  std::int64_t last_used = 0;  // by any process
};

enum class TreeCondition { Whole, Changed, Missing };

/// Which blob of a layer is meant, where the same layer may also have come from outside.
enum class BlobChoice {
  AsItCame,  // of a base: with the compression and the times it has there
  AsAsked,   // of a step: the same bytes, whatever else is in the store
};

/// On descriptors from ensure_blob() with a time clamp: the digest of the clamped tar, which is the
/// diff id an image config must name for that blob. Not for manifests.
inline constexpr std::string_view kUncompressedAnnotation = "containerd.io/uncompressed";

class LayerStore {
 public:
  /// `root` is the state directory; makes layers/, tmp/, trash/ in it. References outlive the
  /// store. The first one after a power cut says which images are gone.
  static Result<std::unique_ptr<LayerStore>> open(
      const std::string& root, ContentStore& content, Metadata& metadata,
      const Warn& warn = [](const std::string&) {});
  virtual ~LayerStore() = default;

  /// A new empty directory on the store's file system, removed with the handle (or with the next
  /// start after kill -9).
  virtual Result<TempDir> scratch() = 0;
  /// Ends one of these; what is in it is removed while others go on.
  virtual void discard(TempDir scratch) = 0;

  /// The tree of the last layer of `chain` (diff ids, lowest first); nullopt when it is not
  /// unpacked. Where overlayfs' marks can be made the tree has them, copied from a portable one if
  /// need be. A tree usually depends on its diff id alone; one whose tar only implies some
  /// directories, or reaches through links of lower layers, is kept under its chain id.
  /// What was asked for is in use from here on (base/leases.h), until the store object goes.
  virtual Result<std::optional<std::string>> tree(std::span<const Digest> chain) = 0;
  /// The trees of all layers of `chain`, lowest first, for who reads files from them: each is
  /// compared with its seal the first time. One that somebody changed is dropped. nullopt when one
  /// is missing.
  virtual Result<std::optional<std::vector<std::string>>> trees(std::span<const Digest> chain) = 0;
  /// Unpacks every layer of `chain` whose tree is missing, several at once; DataLoss when a tar
  /// digest is not its diff id. Directories that a tar only implies get the metadata they have in
  /// the layers below.
  virtual Status unpack(const std::vector<LayerBlob>& chain, Lanes& lanes) = 0;

  /// Takes a finished layer tree (renamed away from where it is; times become whole seconds,
  /// sockets go). Reads each file once: change digest, diff id and size come from that pass. An
  /// equal layer already there wins, `dir` is dropped. The directory's own mode and owner are what
  /// later steps see of "/", so a TempDir itself (0700) is not what to pass.
  /// `forms` are wanted as blobs: what ensure_blob() would give is made from the same pass, and
  /// `on_draft` hears of those that get large enough to be worth reading meanwhile.
  virtual Result<Layer> commit_tree(const std::string& dir,
                                    std::span<const CompressionSpec> forms = {},
                                    const OnDraft& on_draft = {}) = 0;
  /// Realises a list whose bytes lie elsewhere (a COPY) as a tree, same single pass. Hard links are
  /// kept.
  virtual Result<Layer> commit_changes(const ChangeRefs& changes, const EntryContents& contents,
                                       std::span<const CompressionSpec> forms = {},
                                       const OnDraft& on_draft = {}) = 0;
  Result<Layer> commit_changes(const ChangeList& changes, const EntryContents& contents,
                               std::span<const CompressionSpec> forms = {},
                               const OnDraft& on_draft = {}) {
    return commit_changes(refs_of(changes), contents, forms, on_draft);
  }

  /// The tar bytes of a layer: those of its blob if there is one, else made from the tree (only for
  /// layers made here).
  virtual Status write_tar(const Digest& diff_id, Sink& sink) = 0;
  /// The layer as a blob in the content store, compressed once and remembered. A foreign layer
  /// keeps the compressed blob it came with, whatever `spec` says, as BuildKit does without
  /// force-compression; one that came as a plain tar (docker save) is compressed as `spec` says.
  /// `on_draft`: as above, of a blob that has to be made.
  virtual Result<oci::Descriptor> ensure_blob(const Digest& diff_id, CompressionSpec spec,
                                              TarOptions options = {},
                                              BlobChoice choice = BlobChoice::AsItCame,
                                              const OnDraft& on_draft = {}) = 0;
  /// Remembers the blobs (already in the content store) that foreign layers came with.
  virtual Status add_original_blobs(std::span<const Layer> layers) = 0;
  Status add_original_blob(const Digest& diff_id, const oci::Descriptor& blob) {
    const Layer layer{.diff_id = diff_id, .changes = {}, .blob = blob, .size = 0};
    return add_original_blobs(std::span(&layer, 1));
  }
  /// The blob a foreign layer came with; nullopt for layers made here.
  virtual Result<std::optional<oci::Descriptor>> original_blob(const Digest& diff_id) = 0;

  /// Of layers that builds elsewhere made, once their trees are here: compares each with the
  /// changes that it is said to make. From then on all of them count as made here; DataLoss when
  /// one is something else.
  virtual Status adopt(std::span<const Layer> layers, Lanes& lanes) = 0;
  /// Remembers the blobs (in the content store, checked to be of the layers) that such layers came
  /// as. ensure_blob() gives them, whatever compression is asked for, unless that is forced.
  virtual Status add_imported_blobs(std::span<const Layer> layers) = 0;
  virtual Status forget_original_blobs(std::span<const Digest> diff_ids) = 0;

  /// Whether the files of a layer here, made here or not, have `size` bytes in all. If none has, a
  /// step that makes one of that size is in no record that leads to a layer here.
  virtual Result<bool> has_layer_of(std::uint64_t size) = 0;

  /// How many damaged trees this object has found and dropped.
  virtual std::size_t damage_found() const = 0;
  /// All trees: a row and a stat(2) each. Of those whose row was lost, the size is 0.
  virtual Result<std::vector<StoredTree>> stored_trees() = 0;
  /// Reads all files of a tree. One from outside that an older mybuild unpacked is compared with
  /// what its blob unpacks to, if that is there and its layer does not lean on others; else its
  /// seal must do.
  virtual Result<TreeCondition> check_tree(const StoredTree& tree) = 0;
  /// Takes a damaged tree out of the way, and the cache records of steps that may have read it.
  virtual Status drop_tree(const std::string& name) = 0;
  /// Removes those that nobody uses, with the rows and cache records that lead to nothing then.
  /// Returns the ones that are gone.
  virtual Result<std::vector<std::string>> remove_trees(std::span<const std::string> names) = 0;
  /// Removes now what is otherwise removed when there is time.
  virtual Status empty_trash() = 0;
  /// Waits until all trees that are complete now are on the disk, and notes it. Nothing is done
  /// while the oldest of the others is younger than `min_age` seconds.
  virtual Status sync(std::int64_t min_age) = 0;
};

}  // namespace mybuild::snapshotter
