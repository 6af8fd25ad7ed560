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

bool is_below(std::string_view path, std::string_view directory) {
  return directory.empty() || (path.size() > directory.size() && path.starts_with(directory) &&
                               path[directory.size()] == '/');
}

}  // namespace

StagedTree::StagedSet::iterator StagedTree::lower_bound(std::string_view path) const {
  // Mostly things come in order.
  const bool is_next = staged_.empty() || ByPath()(*staged_.rbegin(), path);
  return is_next ? staged_.end() : staged_.lower_bound(path);
}

StagedTree::Staged* StagedTree::find(std::string_view path) const {
  const auto found = lower_bound(path);
  return found == staged_.end() || (*found)->entry.path != path ? nullptr : found->get();
}

StagedTree::Staged& StagedTree::file_of(Staged& name) const {
  return name.names ? *find(*name.names->begin()) : name;
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
  if (Staged* staged = find(path)) {
    Entry entry = file_of(*staged).entry;
    entry.path = path;
    return std::optional(std::move(entry));
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
  for (auto at = staged_.upper_bound(path); at != staged_.end(); ++at) {
    const std::string& below = (*at)->entry.path;
    if (!is_below(below, path)) {
      break;
    }
    if (parent_of(below) == path) {
      names.push_back(below.substr(path.empty() ? 0 : path.size() + 1));
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
  Staged* staged = find(entry.path);
  if (staged == nullptr) {
    return base_.open(entry);
  }
  const ContentOpener& content = file_of(*staged).content;
  if (!content) {
    return internal_error("{} has no bytes of its own", entry.path);
  }
  return content();
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
    place({.entry = std::move(*entry), .content = {}, .fresh = false, .names = {}});
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
  return set({.entry = std::move(made), .content = {}, .fresh = true, .names = {}});
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
  return set(
      {.entry = std::move(entry), .content = std::move(content), .fresh = fresh, .names = {}});
}

Status StagedTree::replace(Entry entry, ContentOpener content) {
  const std::optional<Entry> there = TRY(lookup(entry.path));
  if (!there || (there->type == EntryType::Directory) == (entry.type == EntryType::Directory)) {
    return put(std::move(entry), std::move(content));
  }
  for (auto at = staged_.upper_bound(entry.path);
       at != staged_.end() && is_below((*at)->entry.path, entry.path);) {
    release((*at)->entry.path);
    at = staged_.erase(at);
  }
  TRY(stage_parents(entry.path));
  entry.opaque = entry.type == EntryType::Directory && TRY(base_.lookup(entry.path))
  .has_value();
  return set(
      {.entry = std::move(entry), .content = std::move(content), .fresh = true, .names = {}});
}

StagedTree::Staged& StagedTree::place(Staged staged) {
  const auto at = lower_bound(staged.entry.path);
  if (at != staged_.end() && (*at)->entry.path == staged.entry.path) {
    **at = std::move(staged);
    return **at;
  }
  return **staged_.insert(at, std::make_unique<Staged>(std::move(staged)));
}

Status StagedTree::set(Staged staged) {
  const std::string path = staged.entry.path;
  if (staged.entry.type != EntryType::HardLink) {
    release(path);
    place(std::move(staged));
    return {};
  }
  Staged* target = find(staged.entry.link);
  if (target == nullptr || target->entry.path == path ||
      file_of(*target).entry.type != EntryType::File) {
    return internal_error("{} is a hard link to {}, which is no other planned file", path,
                          staged.entry.link);
  }
  release(path);
  if (target->names == nullptr) {
    target->names = std::make_shared<Names>(Names{target->entry.path});
  }
  const std::shared_ptr<Names> names = target->names;
  Staged& file = file_of(*target);
  names->insert(path);
  staged.names = names;
  Staged& placed = place(std::move(staged));
  if (*names->begin() == path) {
    hand_on(file, placed);
  }
  return {};
}

void StagedTree::release(const std::string& path) {
  Staged* found = find(path);
  if (found == nullptr || found->names == nullptr) {
    return;
  }
  Names& names = *found->names;
  const bool was_first = *names.begin() == path;
  names.erase(path);
  if (was_first && !names.empty()) {
    hand_on(*found, *find(*names.begin()));
  }
}

void StagedTree::hand_on(Staged& from, Staged& to) {
  std::string path = std::move(to.entry.path);
  to.entry = from.entry;
  to.entry.path = std::move(path);
  to.content = std::move(from.content);
}

Status StagedTree::link(const std::string& first, const std::string& path) {
  std::optional<Entry> there = TRY(lookup(first));
  if (!there || there->type == EntryType::Directory) {
    return not_found("/{}: no file to link to", first);
  }
  if (find(first) == nullptr) {
    TRY(put(*there, [this, file = *there] { return base_.open(file); }));
  }
  if (first == path) {
    return {};
  }
  there->path = path;
  if (there->type == EntryType::File) {  // the only type whose links the format can tell
    there->type = EntryType::HardLink;
    there->link = first;
  }
  return replace(std::move(*there), {});
}

void StagedTree::set_metadata(const std::string& path, const Entry& like) {
  Staged* found = find(path);
  if (found == nullptr) {
    return;
  }
  Entry& entry = file_of(*found).entry;
  if (entry.type == EntryType::File) {
    entry.mode = like.mode;
    entry.uid = like.uid;
    entry.gid = like.gid;
    entry.mtime = like.mtime;
  }
}

snapshotter::ChangeRefs StagedTree::changes() {
  snapshotter::ChangeRefs changes;
  changes.reserve(staged_.size());
  for (const std::unique_ptr<Staged>& staged : staged_) {
    changes.push_back(&staged->entry);
    if (const Staged& file = file_of(*staged); &file != staged.get()) {
      Entry link = file.entry;
      link.path = std::move(staged->entry.path);
      link.type = EntryType::HardLink;
      link.link = file.entry.path;
      link.size = 0;
      link.content.reset();
      staged->entry = std::move(link);
    }
  }
  return changes;
}

}  // namespace mybuild::ops
