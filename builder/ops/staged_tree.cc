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

const StagedTree::Staged* StagedTree::find(std::string_view path) const {
  const auto found = staged_.find(path);
  return found == staged_.end() ? nullptr : &found->second;
}

const StagedTree::Staged& StagedTree::file_of(const Staged& name) const {
  return name.names ? *find(name.names->holder) : name;
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
  for (auto at = staged_.upper_bound(path); at != staged_.end() && is_below(at->first, path);
       ++at) {
    if (parent_of(at->first) == path) {
      names.push_back(at->first.substr(path.empty() ? 0 : path.size() + 1));
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
    staged_.emplace(std::string(parent),
                    Staged{.entry = std::move(*entry), .content = {}, .fresh = false, .names = {}});
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
       at != staged_.end() && is_below(at->first, entry.path);) {
    release(at->first);
    at = staged_.erase(at);
  }
  TRY(stage_parents(entry.path));
  entry.opaque = entry.type == EntryType::Directory && TRY(base_.lookup(entry.path))
  .has_value();
  return set(
      {.entry = std::move(entry), .content = std::move(content), .fresh = true, .names = {}});
}

Status StagedTree::set(Staged staged) {
  const std::string path = staged.entry.path;
  if (staged.entry.type != EntryType::HardLink) {
    release(path);
    staged_.insert_or_assign(path, std::move(staged));
    return {};
  }
  const auto target = staged_.find(staged.entry.link);
  if (target == staged_.end() || target->first == path ||
      file_of(target->second).entry.type != EntryType::File) {
    return internal_error("{} is a hard link to {}, which is no other planned file", path,
                          staged.entry.link);
  }
  release(path);
  std::shared_ptr<Names>& names = target->second.names;
  if (names == nullptr) {
    names = std::make_shared<Names>(Names{.holder = target->first, .all = {target->first}});
  }
  names->all.insert(path);
  staged.names = names;
  staged_.insert_or_assign(path, std::move(staged));
  return {};
}

void StagedTree::release(const std::string& path) {
  const auto found = staged_.find(path);
  if (found == staged_.end() || found->second.names == nullptr) {
    return;
  }
  Names& names = *found->second.names;
  names.all.erase(path);
  if (names.holder != path || names.all.empty()) {
    return;
  }
  names.holder = *names.all.begin();
  Staged& heir = staged_.find(names.holder)->second;
  heir.content = std::move(found->second.content);
  heir.entry = std::move(found->second.entry);
  heir.entry.path = names.holder;
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
  const auto found = staged_.find(path);
  if (found == staged_.end()) {
    return;
  }
  const std::shared_ptr<Names>& names = found->second.names;
  Entry& entry = (names ? staged_.find(names->holder) : found)->second.entry;
  if (entry.type == EntryType::File) {
    entry.mode = like.mode;
    entry.uid = like.uid;
    entry.gid = like.gid;
    entry.mtime = like.mtime;
  }
}

snapshotter::ChangeList StagedTree::changes() const {
  snapshotter::ChangeList changes;
  changes.reserve(staged_.size());
  for (const auto& [path, staged] : staged_) {
    Entry& entry = changes.emplace_back(file_of(staged).entry);
    entry.path = path;
    if (staged.names && path != *staged.names->all.begin()) {
      entry.type = EntryType::HardLink;
      entry.link = *staged.names->all.begin();
      entry.size = 0;
      entry.content.reset();
    }
  }
  return changes;
}

}  // namespace mybuild::ops
