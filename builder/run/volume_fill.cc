// SPDX-License-Identifier: Apache-2.0
#include "builder/run/volume_fill.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_writer.h"

#include <map>

namespace mybuild::run {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeForm;
using snapshotter::TreeView;

constexpr const char* kPartial = "partial";  // is being copied
constexpr const char* kDraft = "draft";      // is copied, and being moved to where it belongs

/// A directory of an image as a list with paths relative to it, its own entry ("") first.
class VolumeContents {
 public:
  explicit VolumeContents(const TreeView& view) : view_(view) {}

  Result<snapshotter::ChangeList> list(Entry root) {
    root_ = root.path;
    root.path.clear();
    list_.push_back(std::move(root));
    TRY(add_children(""));
    return std::move(list_);
  }

 private:
  Status add_children(const std::string& directory) {
    for (const std::string& name : TRY(view_.list(join_path(root_, directory)))) {
      const std::string path = join_path(directory, name);
      std::optional<Entry> entry = TRY(view_.lookup(join_path(root_, path)));
      if (!entry) {
        return data_loss("{} vanished while it was copied", path);
      }
      entry->path = path;
      entry->opaque = false;
      if (entry->type == EntryType::File) {
        TRY(mark_hard_link(*entry));
      }
      const bool is_directory = entry->type == EntryType::Directory;
      list_.push_back(std::move(*entry));
      if (is_directory) {
        TRY(add_children(path));
      }
    }
    return {};
  }

  Status mark_hard_link(Entry& entry) {
    const auto id = TRY(view_.hard_link_id(join_path(root_, entry.path)));
    if (id) {
      const auto [first, is_first] = first_names_.emplace(*id, entry.path);
      if (!is_first) {
        entry.type = EntryType::HardLink;
        entry.link = first->second;
      }
    }
    return {};
  }

  const TreeView& view_;
  std::string root_;
  snapshotter::ChangeList list_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> first_names_;
};

Status copy_contents(const TreeView& view, const Entry& root, Fd to) {
  const snapshotter::ChangeList list = TRY(VolumeContents(view).list(root));
  snapshotter::TreeWriter writer(std::move(to));
  for (const Entry& entry : list) {
    if (entry.type != EntryType::File) {
      TRY(writer.add(entry));
      continue;
    }
    Entry source = entry;
    source.path = join_path(root.path, entry.path);
    const Fd from = TRY(view.open(source));
    const Fd made = TRY(writer.create(entry));
    TRY(sys::copy_file(from.get(), made.get()));
    TRY(snapshotter::finish_file(made.get(), entry));
  }
  return writer.finish();
}

/// Links on the way are followed inside the image. nullopt when it has nothing there.
Result<std::optional<Entry>> find_source(const TreeView& image, const std::string& target) {
  const std::string path = TRY(image.resolve(clean_relative(target)));
  std::optional<Entry> source = TRY(image.lookup(path));
  if (source && source->type != EntryType::Directory) {
    return invalid_argument("the image has a file there");
  }
  if (source) {
    source->path = path;
  }
  return source;
}

Result<bool> is_empty(int dirfd) {
  return TRY(sys::list_dir(dirfd))
  .empty();
}

Status make_draft(int volume, const TreeView& image, const Entry& source) {
  TRY(sys::mkdir_at(volume, kPartial, 0700));
  Fd to = TRY(sys::open_at(volume, kPartial, O_RDONLY | O_DIRECTORY));
  TRY(copy_contents(image, source, std::move(to)));
  return sys::rename_at(volume, kPartial, volume, kDraft);
}

/// Name by name, as a running container may have the directory mounted; what that one has made
/// meanwhile stays.
Status move_draft(int volume, int data) {
  const Fd draft = TRY(sys::open_at(volume, kDraft, O_RDONLY | O_DIRECTORY));
  const struct stat info = TRY(sys::fstat(draft.get()));
  const Entry metadata =
      TRY(snapshotter::read_directory_entry(draft.get(), info, {}, TreeForm::Plain));
  for (const std::string& name : TRY(sys::list_dir(draft.get()))) {
    const Status moved = sys::rename_at(draft.get(), name, data, name, RENAME_NOREPLACE);
    if (!moved && moved.error().os_errno() != EEXIST) {
      return moved;
    }
  }
  TRY(snapshotter::finish_directory(data, metadata));
  return remove_tree(volume, kDraft);
}

}  // namespace

Result<bool> wants_contents(int volume, int data) {
  return sys::exists_at(volume, kDraft) || TRY(is_empty(data));
}

Status fill_volume(int volume, int data, const TreeView& image, const std::string& target) {
  TRY(remove_tree(volume, kPartial));
  if (!sys::exists_at(volume, kDraft)) {
    const std::optional<Entry> source = TRY(find_source(image, target));
    if (!source || !TRY(is_empty(data))) {
      return {};
    }
    TRY(make_draft(volume, image, *source));
  }
  return move_draft(volume, data);
}

}  // namespace mybuild::run
