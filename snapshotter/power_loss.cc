// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/power_loss.h"

#include "snapshotter/base/boot.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <algorithm>
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
    const Result<std::string> last = read_file(boot_path_);
    if (const Result<std::string> noted = read_file(suspects_path_)) {
      std::istringstream lines(*noted);
      for (std::string name; std::getline(lines, name);) {
        suspects_.insert(name);
      }
    }
    if (last && *last == boot) {
      return {};
    }
    TRY(collect(layers, trees));
    // Noted before the boot id: a crash in between only collects again.
    TRY(save());
    AtomicFile file = TRY(AtomicFile::create(boot_path_));
    TRY(file.write(as_bytes(boot)));
    return std::move(file).commit();
  }

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

  Status save() const {
    if (suspects_.empty()) {
      const Status removed = sys::unlink_at(AT_FDCWD, suspects_path_);
      return removed || removed.error().kind() == ErrorKind::NotFound ? Status() : removed;
    }
    std::string text;
    for (const std::string& name : suspects_) {
      text += name + "\n";
    }
    AtomicFile file = TRY(AtomicFile::create(suspects_path_));
    TRY(file.write(as_bytes(text)));
    return std::move(file).commit();
  }

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
