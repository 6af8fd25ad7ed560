// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/power_loss.h"

#include "snapshotter/base/boot.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <set>
#include <sstream>

namespace mybuild::snapshotter {

namespace {

class BootNotes final : public PowerLossNotes {
 public:
  explicit BootNotes(const std::string& root)
      : boot_path_(join_path(root, "boot")), suspects_path_(join_path(root, "suspects")) {}

  Status load(const std::string& layers, TreeTable& trees) {
    const std::string boot = TRY(boot_id());
    const Result<std::string> last = read_note(boot_path_);
    if (const Result<std::string> noted = read_note(suspects_path_)) {
      std::istringstream lines(*noted);
      for (std::string name; std::getline(lines, name);) {
        suspects_.insert(name);
      }
    }
    if (last && *last == boot) {
      return {};
    }
    is_first_ = true;
    TRY(collect(layers, trees));
    // Noted before the boot id: a crash in between only collects again.
    TRY(save());
    return note(boot_path_, boot);
  }

  bool is_first_of_boot() const override { return is_first_; }
  bool is_suspect(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    return suspects_.contains(name);
  }

  Status clear(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    return suspects_.erase(name) > 0 ? save() : Status();
  }

 private:
  /// A tree whose row went with the power is not known to be whole, either.
  Status collect(const std::string& layers, TreeTable& trees) {
    const std::set<std::string> synced = TRY(trees.synced_names());
    const Fd dir = TRY(sys::open(layers, O_RDONLY | O_DIRECTORY));
    for (const DirItem& item : TRY(read_dir(dir.get()))) {
      if (!synced.contains(item.name)) {
        suspects_.insert(item.name);
      }
    }
    return {};
  }

  /// On a disk that takes nothing, it is done again by the next store.
  static Status unless_no_room(Status status) {
    const int code = status ? 0 : status.error().os_errno();
    return code == EROFS || code == ENOSPC || code == EDQUOT || code == ENOENT ? Status() : status;
  }

  static Status write(const std::string& path, const std::string& text) {
    AtomicFile file = TRY(AtomicFile::create(path, 0600));
    TRY(file.write(as_bytes(text)));
    return std::move(file).commit();
  }
  static Status note(const std::string& path, const std::string& text) {
    Status written = unless_no_room(write(path, text));
    return written
               ? Status()
               : std::move(written).error().with_hint("move " + path + " away; it is made again");
  }

  Status save() const {
    if (suspects_.empty()) {
      return unless_no_room(sys::unlink_at(AT_FDCWD, suspects_path_));
    }
    std::string text;
    for (const std::string& name : suspects_) {
      text += name + "\n";
    }
    return note(suspects_path_, text);
  }

  bool is_first_ = false;
  const std::string boot_path_;
  const std::string suspects_path_;
  std::mutex mutex_;
  std::set<std::string> suspects_;
};

}  // namespace

Result<std::unique_ptr<PowerLossNotes>> PowerLossNotes::open(const std::string& root,
                                                             const std::string& layers,
                                                             TreeTable& trees) {
  auto notes = std::make_unique<BootNotes>(root);
  TRY(notes->load(layers, trees));
  return std::unique_ptr<PowerLossNotes>(std::move(notes));
}

}  // namespace mybuild::snapshotter
