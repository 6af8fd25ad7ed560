// SPDX-License-Identifier: Apache-2.0
// A TreeView made of literals: {{"etc/passwd", "root:x:0:0"}, {"lib", "-> usr/lib"}, {"usr/", ""}}.
// A trailing slash is a directory, "-> " a symbolic link, anything else a file. Parents are made.
#pragma once

#include "snapshotter/base/sys.h"
#include "snapshotter/tree_view.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::testing_support {

class MemoryTree final : public snapshotter::TreeView {
 public:
  MemoryTree(std::initializer_list<std::pair<std::string, std::string>> items) {
    add_directory("");
    for (const auto& [path, text] : items) {
      add(path, text);
    }
  }

  /// "dir/", or a file; "-> target" makes a link of it. Parents are made.
  void add(std::string path, const std::string& text) {
    const bool directory = path.ends_with('/');
    if (directory) {
      path.pop_back();
    }
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      add_directory(path.substr(0, slash));
    }
    if (directory) {
      add_directory(path);
      return;
    }
    snapshotter::Entry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = text.size();
    entry.mtime.tv_sec = 1000;
    if (text.starts_with("-> ")) {
      entry.type = snapshotter::EntryType::Symlink;
      entry.link = text.substr(3);
      entry.size = 0;
    }
    texts_[path] = text;
    entries_.emplace(path, entry);
  }

  snapshotter::Entry& at(const std::string& path) { return entries_.at(path); }

  Result<std::optional<snapshotter::Entry>> lookup(std::string_view path) const override {
    const auto found = entries_.find(std::string(path));
    if (found == entries_.end()) {
      return std::optional<snapshotter::Entry>();
    }
    return std::optional(found->second);
  }
  Result<std::vector<std::string>> list(std::string_view path) const override {
    std::vector<std::string> names;
    const std::string below = path.empty() ? "" : std::string(path) + "/";
    for (const auto& [name, entry] : entries_) {
      if (!name.empty() && name.starts_with(below) &&
          name.find('/', below.size()) == std::string::npos) {
        names.push_back(name.substr(below.size()));
      }
    }
    return names;
  }
  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> hard_link_id(
      std::string_view path) const override {
    const auto found = links_.find(std::string(path));
    if (found == links_.end()) {
      return std::optional<std::pair<std::uint64_t, std::uint64_t>>();
    }
    return std::optional(std::pair<std::uint64_t, std::uint64_t>{1, found->second});
  }
  Result<Fd> open(const snapshotter::Entry& entry) const override {
    Fd file = TRY(sys::memfd("memory-tree"));
    TRY(sys::write_all(file.get(), as_bytes(texts_.at(entry.path))));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
  }
  /// Makes two paths names of one file.
  void hard_link(const std::string& a, const std::string& b) {
    links_[a] = links_[b] = ++last_inode_;
  }

 private:
  void add_directory(const std::string& path) {
    snapshotter::Entry entry;
    entry.path = path;
    entry.type = snapshotter::EntryType::Directory;
    entry.mode = 0755;
    entries_.emplace(path, entry);
  }

  std::map<std::string, snapshotter::Entry> entries_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::uint64_t> links_;
  std::uint64_t last_inode_ = 0;
};

}  // namespace mybuild::testing_support
