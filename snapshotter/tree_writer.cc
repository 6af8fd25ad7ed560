// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_writer.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <linux/openat2.h>

namespace mybuild::snapshotter {

TreeWriter::TreeWriter(Fd root)
    : TreeWriter(std::move(root), [](const Entry& entry, const Fd& dir) {
        return finish_directory(dir.get(), entry);
      }) {}

// In list order a directory is complete when the first entry outside of it comes, so its metadata
// can be set then.
Status TreeWriter::leave_last() {
  OpenDir last = std::move(open_.back());
  open_.pop_back();
  return leave_(*last.entry, std::move(last.fd));
}

Result<int> TreeWriter::parent_of(const Entry& entry) {
  const std::string_view parent = parent_path(entry.path);
  while (!open_.empty()) {
    const std::string& path = open_.back().entry->path;
    if (path == parent) {
      return open_.back().fd.get();
    }
    TRY(leave_last());
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
  if (entry.type != EntryType::Directory) {
    return make(entry, parent);
  }
  const std::string name(base_name(entry.path));
  TRY(sys::mkdir_at(parent, name, 0700).context(entry.path));
  Fd dir = TRY(sys::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  open_.push_back({.entry = &entry, .fd = std::move(dir)});
  return {};
}

Status TreeWriter::make(const Entry& entry, int parent) const {
  const std::string name(base_name(entry.path));
  if (entry.type != EntryType::HardLink) {
    return make_node(parent, name, entry);
  }
  const Fd first = TRY(sys::open_at2(root_.get(), entry.link, O_PATH | O_NOFOLLOW,
                                     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)
                           .context(entry.path));
  return sys::link_at(AT_FDCWD, sys::proc_fd_path(first.get()), parent, name, AT_SYMLINK_FOLLOW)
      .context(entry.path);
}

Result<Fd> TreeWriter::create(const Entry& entry) {
  const int parent = TRY(parent_of(entry));
  return create_file(parent, std::string(base_name(entry.path)), entry.mode).context(entry.path);
}

Status TreeWriter::leave_all() {
  while (!open_.empty()) {
    TRY(leave_last());
  }
  return {};
}

Status TreeWriter::finish() {
  TRY(leave_all());
  return root_entry_ == nullptr ? Status() : finish_directory(root_.get(), *root_entry_);
}

}  // namespace mybuild::snapshotter
