// SPDX-License-Identifier: Apache-2.0
#include "builder/run/mounts.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_view.h"
#include "snapshotter/tree_writer.h"

#include <algorithm>
#include <map>

namespace mybuild::run {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeView;

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

/// Links on the way are followed inside the image. What it does not have is an empty directory of
/// root.
Status fill_volume(const TreeView& view, const std::string& target, const std::string& directory) {
  const std::string path = TRY(view.resolve(clean_relative(target)));
  std::optional<Entry> source = TRY(view.lookup(path));
  TRY(sys::mkdir_at(AT_FDCWD, directory, 0755));
  if (!source) {
    return {};
  }
  if (source->type != EntryType::Directory) {
    return invalid_argument("the image has a file there");
  }
  source->path = path;
  Fd to = TRY(sys::open(directory, O_RDONLY | O_DIRECTORY));
  return copy_contents(view, *source, std::move(to));
}

}  // namespace

Status make_volume_sources(const std::vector<Volume>& volumes) {
  for (const Volume& volume : volumes) {
    const std::string source = clean_absolute(volume.source);
    const Result<struct stat> info = sys::stat_at(AT_FDCWD, source);
    if (!info && info.error().os_errno() != ENOENT) {
      return info.error();
    }
    if (!info) {
      TRY(make_dirs(source).context("make volume source"));
    }
  }
  return {};
}

Status add_image_volumes(const oci::ImageConfig& config, const std::vector<std::string>& layer_dirs,
                         const std::string& volumes_dir, sandbox::SandboxPlan& plan) {
  std::unique_ptr<TreeView> view;
  for (const std::string& declared : config.volumes) {
    const std::string target = resolve_absolute("/", declared);
    const bool covered =
        target == "/" || std::any_of(plan.mounts.begin(), plan.mounts.end(),
                                     [&](const auto& mount) { return mount.target == target; });
    if (covered) {
      continue;
    }
    if (!view) {
      view = TRY(snapshotter::open_layered_view(layer_dirs));
      TRY(make_dirs(volumes_dir, 0700));
    }
    sandbox::PlanMount mount;
    mount.target = target;
    mount.source = join_path(volumes_dir, std::to_string(plan.mounts.size()));
    TRY(fill_volume(*view, target, mount.source).context("volume " + target));
    plan.mounts.push_back(std::move(mount));
  }
  sort_mounts(plan.mounts);
  return {};
}

}  // namespace mybuild::run
