// SPDX-License-Identifier: Apache-2.0
#include "builder/export/tree_walk.h"

#include <map>
#include <utility>

namespace mybuild::exporter {

namespace {

class Walk {
 public:
  Walk(const snapshotter::TreeView& view, const std::function<Status(snapshotter::Entry)>& visit)
      : view_(view), visit_(visit) {}

  Status children(const std::string& directory) {
    for (const std::string& name : TRY(view_.list(directory))) {
      const std::string path = directory.empty() ? name : directory + "/" + name;
      std::optional<snapshotter::Entry> entry = TRY(view_.lookup(path));
      if (!entry) {
        return data_loss("{} vanished while it was read", path);
      }
      entry->path = path;
      entry->opaque = false;  // there is nothing below a whole tree
      const bool is_directory = entry->type == snapshotter::EntryType::Directory;
      if (entry->type == snapshotter::EntryType::File) {
        TRY(mark_hard_link(*entry));
      }
      TRY(visit_(std::move(*entry)));
      if (is_directory) {
        TRY(children(path));
      }
    }
    return {};
  }

 private:
  Status mark_hard_link(snapshotter::Entry& entry) {
    const auto id = TRY(view_.hard_link_id(entry.path));
    if (!id) {
      return {};
    }
    const auto [first, is_first] = first_names_.emplace(*id, entry.path);
    if (!is_first) {
      entry.type = snapshotter::EntryType::HardLink;
      entry.link = first->second;
      entry.size = 0;
    }
    return {};
  }

  const snapshotter::TreeView& view_;
  const std::function<Status(snapshotter::Entry)>& visit_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> first_names_;
};

}  // namespace

Status walk_tree(const snapshotter::TreeView& view,
                 const std::function<Status(snapshotter::Entry)>& visit, const std::string& top) {
  return Walk(view, visit).children(top);
}

}  // namespace mybuild::exporter
