// SPDX-License-Identifier: Apache-2.0
// TreeGuard: whether a layer tree can be believed. After a power cut one that was not known to be
// on the disk is looked through before its first use; whoever reads files of a tree has its seal
// compared first. A tree made here is looked through by making its tar again, one from outside by
// making its witness again; one from outside that an older mybuild unpacked has none, so it is
// dropped and unpacked anew. Thread-safe, and safe between processes.
#pragma once

#include "snapshotter/base/guarded.h"
#include "snapshotter/metadata.h"
#include "snapshotter/power_loss.h"

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace mybuild::snapshotter {

/// What there is to note of a complete tree at `path` that is to become `name`; nothing may change
/// in it any more. `witness`: of one from outside.
Result<SealedTree> sealed_tree(const std::string& name, const std::string& path,
                               const LayerRow& layer, const std::optional<Digest>& witness);

class TreeGuard {
 public:
  /// `metadata` outlives the guard.
  static Result<std::unique_ptr<TreeGuard>> open(const std::string& root, const std::string& layers,
                                                 Metadata& metadata);

  /// False when a power cut may have torn the tree `name` at `path`, and has: it must go then.
  Result<bool> survived(const std::string& name, const std::string& path, const Digest& diff_id);
  /// False when somebody has changed it: it must go then. Asked once; what was made by this object
  /// is believed.
  Result<bool> is_unchanged(const std::string& name, const std::string& path,
                            const Digest& diff_id);

  /// False when it was written to since somebody looked last; nothing is read.
  Result<bool> has_its_seal(const std::string& name, const std::string& path);
  /// Reads all of it: whether it is what it was made as. nullopt when nothing tells.
  Result<std::optional<bool>> is_whole(const std::string& name, const std::string& path,
                                       const Digest& diff_id);

  /// Complete trees are about to get their names.
  Status before_publish(std::span<const SealedTree> trees);
  /// It was removed as damaged; the next one of that name starts anew.
  Status dropped(const std::string& name);
  bool is_suspect(const std::string& name) { return notes_->is_suspect(name); }
  bool is_first_of_boot() const { return notes_->is_first_of_boot(); }

 private:
  TreeGuard(std::unique_ptr<PowerLossNotes> notes, Metadata& metadata)
      : notes_(std::move(notes)), metadata_(metadata) {}

  bool note_seal(const std::string& name, const Digest& seal, bool synced);

  const std::unique_ptr<PowerLossNotes> notes_;
  Metadata& metadata_;
  Guarded<std::set<std::string>> believed_;
};

}  // namespace mybuild::snapshotter
