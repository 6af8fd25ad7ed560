// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_view.h"

#include "snapshotter/base/file.h"
#include "snapshotter/tree_entry.h"

#include <algorithm>
#include <cerrno>

namespace mybuild::snapshotter {

namespace {

constexpr int kMaxLinks = 255;

/// Components still to walk, next one last.
void push_components(std::vector<std::string>& todo, std::string_view path) {
  const auto base = static_cast<std::ptrdiff_t>(todo.size());
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (const std::string_view part = path.substr(begin, end - begin);
        !part.empty() && part != ".") {
      todo.emplace_back(part);
    }
    begin = end + 1;
  }
  std::reverse(todo.begin() + base, todo.end());
}

}  // namespace

Result<std::string> TreeView::resolve(std::string_view path, bool follow_last) const {
  std::vector<std::string> todo;
  push_components(todo, path);
  std::string resolved;
  bool missing = false;  // below a missing component nothing needs to be asked
  for (int links = 0; !todo.empty();) {
    const std::string part = std::move(todo.back());
    todo.pop_back();
    if (part == "..") {
      resolved = std::string(parent_path(resolved));
      missing = false;
      continue;
    }
    const std::string next = join_path(resolved, part);
    const std::optional<Entry> entry = missing ? std::optional<Entry>() : TRY(lookup(next));
    missing = !entry;
    if (!entry || entry->type != EntryType::Symlink || (todo.empty() && !follow_last)) {
      resolved = next;
      continue;
    }
    if (++links > kMaxLinks) {
      return invalid_argument("{}: too many levels of symbolic links", path).with_errno(ELOOP);
    }
    if (entry->link.starts_with('/')) {
      resolved.clear();
    }
    push_components(todo, entry->link);
  }
  return resolved;
}

Result<std::vector<ListedEntry>> TreeView::read_directory(std::string_view path,
                                                          const NameFilter& wanted) const {
  std::vector<ListedEntry> listed;
  for (const std::string& name : TRY(list(path))) {
    if (!wanted(name)) {
      continue;
    }
    std::optional<Entry> entry = TRY(lookup(join_path(path, name)));
    if (!entry) {
      continue;
    }
    std::optional<HardLinkId> id;
    if (entry->type == EntryType::File) {
      id = TRY(hard_link_id(entry->path));
    }
    listed.push_back({.entry = std::move(*entry), .hard_link = id});
  }
  return listed;
}

Status TreeView::hash(Entry& file) const {
  const Fd fd = TRY(open(file));
  file.content = TRY(hash_file(fd.get(), file.size).context(file.path));
  return {};
}

Result<std::optional<std::string>> TreeView::read_small(std::string_view path,
                                                        std::size_t limit) const {
  const std::string resolved = TRY(resolve(path));
  const std::optional<Entry> entry = TRY(lookup(resolved));
  if (!entry || entry->type != EntryType::File) {
    return std::optional<std::string>();
  }
  FileSource source(TRY(open(*entry)));
  return std::optional(TRY(read_all(source, limit).context(path)));
}

}  // namespace mybuild::snapshotter
