// SPDX-License-Identifier: Apache-2.0
#include "builder/export/tree_merge.h"

#include "snapshotter/base/sys.h"

#include <linux/openat2.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace mybuild::exporter {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;

constexpr std::size_t kCopiers = 8;

/// Creates what is missing of `path` and returns it, outermost first.
Result<std::vector<std::string>> make_missing(const std::string& path) {
  std::vector<std::string> missing;
  for (std::string part = path; !part.empty() && !sys::exists_at(AT_FDCWD, part);) {
    missing.insert(missing.begin(), part);
    const std::size_t slash = part.find_last_of('/');
    part = slash == std::string::npos ? std::string() : part.substr(0, slash);
  }
  TRY(make_dirs(path));
  return missing;
}

void remove_directories(const std::vector<std::string>& made) {
  for (auto path = made.rbegin(); path != made.rend(); ++path) {
    (void)sys::unlink_at(AT_FDCWD, *path, AT_REMOVEDIR);
  }
}

/// Attributes that the file system, or our rights, cannot hold are left out, as a copy to another
/// disk would.
void set_xattrs(int fd, const snapshotter::Xattrs& xattrs) {
  for (const auto& [name, value] : xattrs) {
    (void)sys::set_xattr(fd, name, value);
  }
}

Status stage_file(const snapshotter::TreeView& view, const Entry& entry, int dirfd,
                  const std::string& path) {
  const Fd from = TRY(view.open(entry));
  const Fd to = TRY(sys::open_at(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const std::uint64_t copied = TRY(sys::copy_file(from.get(), to.get()));
  if (copied != entry.size) {
    return data_loss("{} has {} bytes, not {}", entry.path, copied, entry.size);
  }
  set_xattrs(to.get(), entry.xattrs);
  TRY(sys::fchmod(to.get(), entry.mode));
  return sys::set_times(to.get(), entry.mtime);
}

Status stage_device(const Entry& entry, int dirfd, const std::string& path) {
  const mode_t type = entry.type == EntryType::CharDevice    ? S_IFCHR
                      : entry.type == EntryType::BlockDevice ? S_IFBLK
                                                             : S_IFIFO;
  const Status made =
      sys::mknod_at(dirfd, path, type | 0600, makedev(entry.device_major, entry.device_minor));
  if (!made) {
    return Error(made.error()).with_hint("device files need root; type=tar can carry them");
  }
  TRY(sys::fchmod_at(dirfd, path, entry.mode));
  return sys::set_times_at(dirfd, path, entry.mtime);
}

}  // namespace

TreeMerge::TreeMerge(std::vector<std::string> made, TempDir draft, Fd dest_fd, Fd draft_fd,
                     Lanes& lanes, const Cancel& cancel)
    : made_(std::move(made)),
      draft_(std::move(draft)),
      dest_fd_(std::move(dest_fd)),
      draft_fd_(std::move(draft_fd)),
      lanes_(lanes),
      cancel_(cancel) {}
TreeMerge::TreeMerge(TreeMerge&& other) noexcept = default;

TreeMerge::~TreeMerge() {
  { const TempDir removed = std::move(draft_); }
  remove_directories(made_);
}

Result<TreeMerge> TreeMerge::open(const std::string& dest, Lanes& lanes, const Cancel& cancel) {
  std::string clean = dest;
  while (clean.size() > 1 && clean.ends_with('/')) {
    clean.pop_back();
  }
  std::vector<std::string> made = TRY(make_missing(clean).context("write to " + dest));
  Result<TempDir> draft = TempDir::create(clean, ".mybuild-draft-");
  if (!draft) {
    remove_directories(made);
    return std::move(draft).error();
  }
  Fd dest_fd = TRY(sys::open(clean, O_RDONLY | O_DIRECTORY));
  Fd draft_fd = TRY(sys::open(draft->path(), O_RDONLY | O_DIRECTORY));
  return TreeMerge(std::move(made), std::move(draft).value(), std::move(dest_fd),
                   std::move(draft_fd), lanes, cancel);
}

Status TreeMerge::stage(const snapshotter::TreeView& view, const snapshotter::ChangeList& entries,
                        const std::string& folder) {
  const std::string prefix = folder.empty() ? std::string() : folder + "/";
  if (!folder.empty()) {
    TRY(sys::mkdir_at(draft_fd_.get(), folder, 0755));
  }
  std::vector<const Entry*> files;
  for (const Entry& entry : entries) {
    if (entry.type == EntryType::File) {
      files.push_back(&entry);
    } else if (entry.type != EntryType::HardLink) {
      TRY(stage_node(entry, prefix + entry.path).context(entry.path));
    }
  }
  TRY(stage_files(view, files, prefix));
  for (const Entry& entry : entries) {
    if (entry.type == EntryType::HardLink) {
      TRY(sys::link_at(draft_fd_.get(), prefix + entry.link, draft_fd_.get(), prefix + entry.path));
    }
  }
  return {};
}

Status TreeMerge::stage_node(const Entry& entry, const std::string& path) {
  const int dirfd = draft_fd_.get();
  switch (entry.type) {
    case EntryType::Directory:
      // Its own mode comes at the very end: a read-only directory could not be filled or moved.
      directories_.push_back(
          {.path = path, .mode = entry.mode, .mtime = entry.mtime, .xattrs = entry.xattrs});
      return sys::mkdir_at(dirfd, path, 0700);
    case EntryType::Symlink:
      TRY(sys::symlink_at(entry.link, dirfd, path));
      return sys::set_times_at(dirfd, path, entry.mtime);
    case EntryType::CharDevice:
    case EntryType::BlockDevice:
    case EntryType::Fifo:
      return stage_device(entry, dirfd, path);
    default:
      return internal_error("a whole tree has no entry of type {}", static_cast<int>(entry.type));
  }
}

Status TreeMerge::stage_files(const snapshotter::TreeView& view,
                              const std::vector<const Entry*>& files, const std::string& prefix) {
  std::atomic<std::size_t> next{0};
  return lanes_.fan_out(Lane::Disk, std::min(files.size(), kCopiers), [&](std::size_t) -> Status {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      TRY(cancel_.check());
      TRY(stage_file(view, *files[i], draft_fd_.get(), prefix + files[i]->path));
    }
    return {};
  });
}

namespace {

bool is_directory(const Result<struct stat>& info) {
  return info && S_ISDIR(info->st_mode);
}

Result<Fd> open_child(int dirfd, const std::string& name) {
  return sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// Fails where a file would have to replace a directory that holds something.
Status check_merge(int from, int to, const std::string& shown) {
  for (const std::string& name : TRY(sys::list_dir(from))) {
    const Result<struct stat> old = sys::lstat_at(to, name);
    if (!is_directory(old)) {
      continue;
    }
    const Fd old_dir = TRY(open_child(to, name));
    const std::string path = join_path(shown, name);
    if (is_directory(sys::lstat_at(from, name))) {
      const Fd new_dir = TRY(open_child(from, name));
      TRY(check_merge(new_dir.get(), old_dir.get(), path));
    } else if (const auto held = TRY(sys::list_dir(old_dir.get())); !held.empty()) {
      return invalid_argument("{} is a directory with files in it, the result has a file there",
                              path)
          .with_hint("remove it, or export to another directory");
    }
  }
  return {};
}

Status merge(int from, int to) {
  for (const std::string& name : TRY(sys::list_dir(from))) {
    const bool old_is_directory = is_directory(sys::lstat_at(to, name));
    const bool new_is_directory = is_directory(sys::lstat_at(from, name));
    if (old_is_directory && new_is_directory) {
      const Fd old_dir = TRY(open_child(to, name));
      const Fd new_dir = TRY(open_child(from, name));
      TRY(merge(new_dir.get(), old_dir.get()));
      continue;
    }
    if (old_is_directory != new_is_directory && sys::exists_at(to, name)) {
      TRY(sys::unlink_at(to, name, old_is_directory ? AT_REMOVEDIR : 0));
    }
    TRY(sys::rename_at(from, name, to, name));
  }
  return {};
}

}  // namespace

Status TreeMerge::commit() {
  TRY(check_merge(draft_fd_.get(), dest_fd_.get(), ""));
  TRY(cancel_.check());
  TRY(merge(draft_fd_.get(), dest_fd_.get()));
  made_.clear();
  return finish_directories();
}

Status TreeMerge::finish_directories() {
  for (auto dir = directories_.rbegin(); dir != directories_.rend(); ++dir) {
    const Fd fd = TRY(sys::open_at2(dest_fd_.get(), dir->path, O_RDONLY | O_DIRECTORY,
                                    RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH));
    set_xattrs(fd.get(), dir->xattrs);
    TRY(sys::fchmod(fd.get(), dir->mode));
    TRY(sys::set_times(fd.get(), dir->mtime));
  }
  return {};
}

}  // namespace mybuild::exporter
