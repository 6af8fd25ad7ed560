// SPDX-License-Identifier: Apache-2.0
// Layer trees: what steps made, base images unpacked, commits checked out.
#include "builder/space/shelf.h"

#include <unordered_map>

namespace mybuild::space {

namespace {

class TreeShelf final : public Shelf {
 public:
  explicit TreeShelf(const StoreParts& parts) : parts_(parts) {}
  Place place() const override { return Place::Tree; }
  bool is_rooted() const override { return true; }

  Result<std::vector<Item>> items(const Needed& needed) override {
    std::unordered_set<Digest> made_here;
    for (const snapshotter::LayerRow& row : TRY(parts_.metadata.layers())) {
      if (row.changes) {
        made_here.insert(row.diff_id);
      }
    }
    std::unordered_set<Digest> commits;
    for (const snapshotter::GitTreeRow& row : TRY(parts_.metadata.git_trees())) {
      commits.insert(row.diff_id);
    }
    std::vector<Item> items;
    for (const snapshotter::StoredTree& tree : TRY(parts_.layers.stored_trees())) {
      Item item{.place = Place::Tree,
                .id = tree.name,
                .size = tree.disk,
                .created = tree.created,
                .last_used = tree.last_used,
                .needed = needed.trees.contains(tree.name)};
      describe(item, commits.contains(tree.diff_id), made_here.contains(tree.diff_id));
      items.push_back(std::move(item));
    }
    return items;
  }

  Status remove(std::span<const Item> items, const OnRemoved& on_removed) override {
    std::vector<std::string> names;
    std::unordered_map<std::string_view, const Item*> by_name;
    for (const Item& item : items) {
      names.push_back(item.id);
      by_name.emplace(item.id, &item);
    }
    for (const std::string& name : TRY(parts_.layers.remove_trees(names))) {
      if (const auto found = by_name.find(name); found != by_name.end()) {
        on_removed(*found->second);
      }
    }
    return {};
  }

 private:
  static void describe(Item& item, bool is_commit, bool is_made_here) {
    item.type = is_commit      ? ItemType::GitCheckout
                : is_made_here ? ItemType::Regular
                               : ItemType::Image;
    item.description = is_commit      ? "files of a commit"
                       : is_made_here ? "layer that a step made"
                                      : "layer of a base image";
  }

  const StoreParts parts_;
};

}  // namespace

std::unique_ptr<Shelf> make_tree_shelf(const StoreParts& parts) {
  return std::make_unique<TreeShelf>(parts);
}

}  // namespace mybuild::space
