// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/staged_tree.h"

#include <algorithm>

namespace mybuild::ops {

using snapshotter::Entry;
using snapshotter::EntryType;

namespace {

/// "" for a path of one component.
std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

const StagedTree::Staged* StagedTree::find(std::string_view path) const {
  const auto found = staged_.find(std::string(path));
  return found == staged_.end() ? nullptr : &found->second;
}

bool StagedTree::hidden(std::string_view path) const {
  while (!path.empty()) {
    path = parent_of(path);
    // Parents of a staged entry are staged too, so the nearest staged ancestor decides.
    if (const Staged* staged = find(path)) {
      return staged->fresh || staged->entry.type != EntryType::Directory;
    }
  }
  return false;
}

Result<std::optional<Entry>> StagedTree::lookup(std::string_view path) const {
  if (const Staged* staged = find(path)) {
    return std::optional(staged->entry);
  }
  if (hidden(path)) {
    return std::optional<Entry>();
  }
  return base_.lookup(path);
}

Result<std::vector<std::string>> StagedTree::list(std::string_view path) const {
  std::vector<std::string> names;
  const Staged* self = find(path);
  if ((self == nullptr || !self->fresh) && !hidden(path)) {
    names = TRY(base_.list(path));
  }
  for (const auto& [staged_path, staged] : staged_) {
    if (!staged_path.empty() && parent_of(staged_path) == path) {
      names.push_back(staged_path.substr(path.empty() ? 0 : path.size() + 1));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> StagedTree::hard_link_id(
    std::string_view path) const {
  if (find(path) != nullptr) {
    return std::optional<std::pair<std::uint64_t, std::uint64_t>>();
  }
  return base_.hard_link_id(path);
}

Result<Fd> StagedTree::open(const Entry& entry) const {
  const Staged* staged = find(entry.path);
  if (staged == nullptr) {
    return base_.open(entry);
  }
  if (!staged->content) {
    return internal_error("{} has no bytes of its own", entry.path);
  }
  return staged->content();
}

Status StagedTree::stage_parents(const std::string& path) {
  for (std::string_view parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) {
    if (find(parent) != nullptr) {
      return {};
    }
    std::optional<Entry> entry = TRY(base_.lookup(parent));
    if (!entry || entry->type != EntryType::Directory) {
      return invalid_argument("/{} is not a directory", parent);
    }
    staged_.emplace(std::string(parent),
                    Staged{.entry = std::move(*entry), .content = {}, .fresh = false});
  }
  return {};
}

Status StagedTree::make_dirs(const std::string& path, const Entry& model) {
  if (path.empty()) {
    return {};
  }
  const std::optional<Entry> there = TRY(lookup(path));
  if (there && there->type == EntryType::Directory) {
    return {};
  }
  if (there) {
    return invalid_argument("/{} is not a directory", path);
  }
  TRY(make_dirs(std::string(parent_of(path)), model));
  TRY(stage_parents(path));
  Entry made = model;
  made.path = path;
  made.type = EntryType::Directory;
  made.size = 0;
  staged_.insert_or_assign(path, Staged{.entry = std::move(made), .content = {}, .fresh = true});
  return {};
}

Status StagedTree::put(Entry entry, ContentOpener content) {
  const std::optional<Entry> there = TRY(lookup(entry.path));
  const bool is_directory = entry.type == EntryType::Directory;
  if (there && is_directory && there->type != EntryType::Directory) {
    return invalid_argument("cannot copy to non-directory: /{}", entry.path);
  }
  if (there && !is_directory && there->type == EntryType::Directory) {
    return invalid_argument("cannot replace to directory /{} with file", entry.path);
  }
  TRY(stage_parents(entry.path));
  const Staged* self = find(entry.path);
  const bool fresh = is_directory && (!there || (self != nullptr && self->fresh));
  std::string path = entry.path;
  staged_.insert_or_assign(
      std::move(path),
      Staged{.entry = std::move(entry), .content = std::move(content), .fresh = fresh});
  return {};
}

Status StagedTree::replace(Entry entry, ContentOpener content) {
  const std::optional<Entry> there = TRY(lookup(entry.path));
  if (there && (there->type == EntryType::Directory) != (entry.type == EntryType::Directory)) {
    const std::string below = entry.path + "/";
    std::erase_if(staged_, [&](const auto& item) {
      return item.first == entry.path || item.first.starts_with(below);
    });
    TRY(stage_parents(entry.path));
    entry.opaque = entry.type == EntryType::Directory && TRY(base_.lookup(entry.path))
    .has_value();
    std::string path = entry.path;
    staged_.insert_or_assign(
        std::move(path),
        Staged{.entry = std::move(entry), .content = std::move(content), .fresh = true});
    return {};
  }
  return put(std::move(entry), std::move(content));
}

snapshotter::ChangeList StagedTree::changes() const {
  snapshotter::ChangeList changes;
  changes.reserve(staged_.size());
  for (const auto& [path, staged] : staged_) {
    changes.push_back(staged.entry);
  }
  std::sort(changes.begin(), changes.end(),
            [](const Entry& a, const Entry& b) { return snapshotter::path_less(a.path, b.path); });
  return changes;
}

}  // namespace mybuild::ops
