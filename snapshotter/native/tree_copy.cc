// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/native/tree_copy.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <linux/openat2.h>

#include <map>

namespace mybuild::snapshotter {

namespace {

class Copier {
 public:
  Copier(const TreeView& view, Fd root) : view_(view), root_(std::move(root)) {}

  Status copy_directory(int dirfd, const Entry& directory) {
    for (const std::string& name : TRY(view_.list(directory.path))) {
      const std::string path = join_path(directory.path, name);
      const std::optional<Entry> entry = TRY(view_.lookup(path));
      if (entry) {
        TRY(copy_object(dirfd, name, *entry).context(path));
      }
    }
    return finish_directory(dirfd, directory);
  }

  int root() const { return root_.get(); }

 private:
  Status copy_object(int dirfd, const std::string& name, const Entry& entry) {
    if (entry.type == EntryType::Directory) {
      TRY(sys::mkdir_at(dirfd, name, 0700));
      const Fd child = TRY(sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      return copy_directory(child.get(), entry);
    }
    if (entry.type != EntryType::File) {
      return make_node(dirfd, name, entry);
    }
    if (const auto id = TRY(view_.hard_link_id(entry.path))) {
      const auto [first, is_first] = first_names_.emplace(*id, entry.path);
      if (!is_first) {
        return link_to(first->second, dirfd, name);
      }
    }
    const Fd from = TRY(view_.open(entry));
    const Fd to = TRY(create_file(dirfd, name));
    TRY(sys::copy_file(from.get(), to.get()));
    return finish_file(to.get(), entry);
  }

  Status link_to(const std::string& first, int dirfd, const std::string& name) {
    const Fd file = TRY(sys::open_at2(root_.get(), first, O_PATH | O_NOFOLLOW,
                                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
    return sys::link_at(AT_FDCWD, sys::proc_fd_path(file.get()), dirfd, name, AT_SYMLINK_FOLLOW);
  }

  const TreeView& view_;
  const Fd root_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> first_names_;
};

}  // namespace

Status copy_tree(const TreeView& view, const std::string& dir) {
  Copier copier(view, TRY(sys::open(dir, O_RDONLY | O_DIRECTORY)));
  const std::optional<Entry> root = TRY(view.lookup(""));
  return root ? copier.copy_directory(copier.root(), *root) : Status();
}

}  // namespace mybuild::snapshotter
