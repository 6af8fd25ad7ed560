// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_writer.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <linux/openat2.h>

namespace mybuild::snapshotter {

// In list order a directory is complete when the first entry outside of it comes, so its metadata
// can be set then.
Status TreeWriter::leave() {
  TRY(finish_directory(open_.back().fd.get(), *open_.back().entry));
  open_.pop_back();
  return {};
}

Result<int> TreeWriter::parent_of(const Entry& entry) {
  const std::string_view parent = parent_path(entry.path);
  while (!open_.empty()) {
    const std::string& path = open_.back().entry->path;
    if (path == parent) {
      return open_.back().fd.get();
    }
    TRY(leave());
  }
  if (!parent.empty()) {
    return internal_error("{}: its directory is not in the change list", entry.path);
  }
  return root_.get();
}

Status TreeWriter::add(const Entry& entry) {
  if (entry.path.empty()) {
    root_entry_ = &entry;
    return {};
  }
  const int parent = TRY(parent_of(entry));
  const std::string name(base_name(entry.path));
  if (entry.type == EntryType::Directory) {
    TRY(sys::mkdir_at(parent, name, 0700).context(entry.path));
    Fd dir = TRY(sys::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    open_.push_back({.entry = &entry, .fd = std::move(dir)});
    return {};
  }
  if (entry.type == EntryType::HardLink) {
    const Fd first = TRY(sys::open_at2(root_.get(), entry.link, O_PATH | O_NOFOLLOW,
                                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)
                             .context(entry.path));
    return sys::link_at(AT_FDCWD, sys::proc_fd_path(first.get()), parent, name, AT_SYMLINK_FOLLOW)
        .context(entry.path);
  }
  return make_node(parent, name, entry);
}

Result<Fd> TreeWriter::create(const Entry& entry) {
  const int parent = TRY(parent_of(entry));
  return create_file(parent, std::string(base_name(entry.path)), entry.mode).context(entry.path);
}

Status TreeWriter::finish() {
  while (!open_.empty()) {
    TRY(leave());
  }
  return root_entry_ == nullptr ? Status() : finish_directory(root_.get(), *root_entry_);
}

}  // namespace mybuild::snapshotter
