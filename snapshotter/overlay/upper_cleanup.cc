// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/overlay/upper_cleanup.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/file_compare.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/whiteout.h"

namespace mybuild::snapshotter {

namespace {

constexpr int kMaxDepth = 1000;

bool same_time(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

class Cleaner {
 public:
  explicit Cleaner(const TreeView& lower) : lower_(lower) {}

  /// `on_lower`: the lower layers have this directory too and it does not hide them. Returns how
  /// many names stay.
  Result<std::size_t> clean(int dirfd, const std::string& path, bool on_lower, int depth) {
    if (depth > kMaxDepth) {
      return invalid_argument("{}: directories nested deeper than {}", path, kMaxDepth);
    }
    const struct stat before = TRY(sys::fstat(dirfd));
    const std::vector<DirItem> items = TRY(read_dir(dirfd));
    std::size_t kept = 0;
    for (const DirItem& item : items) {
      kept += TRY(keep(dirfd, item.name, join_path(path, item.name), on_lower, depth))
      ? 1 : 0;
    }
    if (kept != items.size()) {
      TRY(sys::set_times(dirfd, before.st_mtim));
    }
    return kept;
  }

 private:
  /// Cleans one object and decides about it; one that does not stay is removed.
  Result<bool> keep(int dirfd, const std::string& name, const std::string& path, bool on_lower,
                    int depth) {
    const struct stat info = TRY(sys::lstat_at(dirfd, name));
    if (S_ISSOCK(info.st_mode)) {  // whatever its mode: a step must not write marks
      TRY(sys::unlink_at(dirfd, name));
      return false;
    }
    std::optional<Entry> below;
    if (on_lower) {
      below = TRY(lower_.lookup(path));
    }
    if (S_ISDIR(info.st_mode)) {
      return keep_directory(dirfd, name, path, info, below, depth);
    }
    if (is_whiteout(info) && !below) {
      TRY(sys::unlink_at(dirfd, name));
      return false;
    }
    if (is_whiteout(info)) {
      return true;
    }
    (void)TRY(strip(dirfd, name, path));
    if (!below || !TRY(is_copy(dirfd, name, path, info, *below))) {
      return true;
    }
    TRY(sys::unlink_at(dirfd, name));
    return false;
  }

  Result<bool> keep_directory(int dirfd, const std::string& name, const std::string& path,
                              const struct stat& info, const std::optional<Entry>& below,
                              int depth) {
    const Fd dir = TRY(sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const bool lower_dir = below && below->type == EntryType::Directory;
    std::string opaque = TRY(strip(dirfd, name, path));
    if (!opaque.empty() && !lower_dir) {
      // overlayfs marks every new directory to save itself a look; the mark says nothing here.
      TRY(remove_xattr_at(dirfd, name, opaque));
      opaque.clear();
    }
    const bool on_lower = lower_dir && opaque.empty();
    const std::size_t kept = TRY(clean(dir.get(), path, on_lower, depth + 1));
    if (kept > 0 || !on_lower || !same_time(info.st_mtim, below->mtime)) {
      return true;
    }
    const Entry entry = TRY(read_directory_entry(dir.get(), info, path, TreeForm::Layer));
    if (!same_metadata(entry, *below)) {
      return true;
    }
    TRY(sys::unlink_at(dirfd, name, AT_REMOVEDIR));
    return false;
  }

  /// Removes overlayfs' notes; returns the name of the opaque mark if there is one, which stays.
  static Result<std::string> strip(int dirfd, const std::string& name, const std::string& path) {
    std::string opaque;
    for (const std::string& attribute : TRY(list_xattrs_at(dirfd, name))) {
      if (!is_overlay_xattr(attribute)) {
        continue;
      }
      if (attribute.ends_with(".redirect") || attribute.ends_with(".metacopy")) {
        return unsupported("{}: overlayfs left a \"{}\" mark, the change is not complete", path,
                           attribute)
            .with_hint("mount with redirect_dir=nofollow,metacopy=off");
      }
      if (is_opaque_xattr(attribute)) {
        opaque = attribute;
      } else {
        TRY(remove_xattr_at(dirfd, name, attribute));
      }
    }
    return opaque;
  }

  /// True for what was only copied up: nobody could tell it from the lower object.
  Result<bool> is_copy(int dirfd, const std::string& name, const std::string& path,
                       const struct stat& info, const Entry& below) const {
    if (info.st_nlink != 1 || !same_time(info.st_mtim, below.mtime)) {
      return false;
    }
    const std::optional<Entry> entry = TRY(read_entry(dirfd, name, info, path, TreeForm::Layer));
    if (!entry || !same_metadata(*entry, below)) {
      return false;
    }
    if (entry->type != EntryType::File) {
      return true;
    }
    const Fd mine = TRY(sys::open_at(dirfd, name, O_RDONLY | O_NOFOLLOW));
    const Fd theirs = TRY(lower_.open(below));
    return same_contents(mine.get(), theirs.get());
  }

  const TreeView& lower_;
};

}  // namespace

Status clean_upper(const std::string& upper, const TreeView& lower) {
  const Fd root = TRY(sys::open(upper, O_RDONLY | O_DIRECTORY));
  for (const std::string& attribute : TRY(list_xattrs_at(root.get(), "."))) {
    if (is_overlay_xattr(attribute)) {
      TRY(remove_xattr_at(root.get(), ".", attribute));
    }
  }
  (void)TRY(Cleaner(lower).clean(root.get(), {}, true, 0));
  return {};
}

}  // namespace mybuild::snapshotter
