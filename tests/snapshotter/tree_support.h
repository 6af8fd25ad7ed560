// SPDX-License-Identifier: Apache-2.0
// What tests of trees share: building one in few words, writing one down as text, random trees,
// archives in memory.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/base/file.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "snapshotter/tree_view.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mybuild::snapshotter::testing {

/// The value, or the end of the test program with the error's message: for steps that are not what
/// is tested.
template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message();
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(result).value();
  }
}

/// A store with all it needs, in a temporary directory.
struct TestStore {
  TestStore();
  explicit TestStore(const std::string& existing_root);
  void reopen();

  std::unique_ptr<TempDir> own_dir;
  std::string root;
  std::unique_ptr<ContentStore> content;
  std::unique_ptr<Metadata> metadata;
  std::unique_ptr<LayerStore> layers;
};

/// Writes objects into a directory, parents made as needed; every mtime is 1000 unless set
/// otherwise.
class TreeMaker {
 public:
  explicit TreeMaker(std::string root);
  ~TreeMaker() { seal(); }
  TreeMaker(const TreeMaker&) = delete;
  TreeMaker& operator=(const TreeMaker&) = delete;

  TreeMaker& dir(const std::string& path, mode_t mode = 0755);
  TreeMaker& file(const std::string& path, std::string_view text, mode_t mode = 0644);
  TreeMaker& link(const std::string& path, const std::string& target);
  TreeMaker& hard_link(const std::string& path, const std::string& first);
  TreeMaker& fifo(const std::string& path);
  TreeMaker& device(const std::string& path, unsigned major, unsigned minor);
  TreeMaker& whiteout(const std::string& path);
  TreeMaker& opaque(const std::string& path);
  TreeMaker& owner(const std::string& path, uid_t uid, gid_t gid);
  TreeMaker& xattr(const std::string& path, const std::string& name, const std::string& value);
  TreeMaker& time(const std::string& path, std::int64_t seconds);
  /// Sets the times; the destructor does it too.
  void seal();

 private:
  std::string at(const std::string& path);
  std::string root_;
  std::map<std::string, std::int64_t> times_;
};

/// One line per object: path, type, mode, owner, size, time, link, attributes, content; names of
/// one file are told.
std::string describe(const TreeView& view);
std::string describe_directory(const std::string& dir);
std::string describe_layers(const std::vector<std::string>& layers);

/// Fills `dir` with a tree of up to `objects` objects of every kind (no whiteouts), deterministic
/// by `random`.
void make_random_tree(const std::string& dir, std::mt19937& random, int objects);
/// Changes a tree as a build step might: adds, removes, replaces, touches, links.
void change_randomly(const std::string& dir, std::mt19937& random, int changes);

/// An archive of entries in the order given (not sorted, parents may be missing); files get `text`
/// of `contents`.
struct ArchiveEntry {
  Entry entry;
  std::string text;
};
std::string make_archive(const std::vector<ArchiveEntry>& entries);
ArchiveEntry archive_dir(const std::string& path, mode_t mode = 0755, std::int64_t mtime = 7);
ArchiveEntry archive_file(const std::string& path, const std::string& text);
ArchiveEntry archive_link(const std::string& path, const std::string& target);
ArchiveEntry archive_hard_link(const std::string& path, const std::string& first);
ArchiveEntry archive_whiteout(const std::string& path);

/// A layer whose blob is the given (uncompressed) archive.
LayerBlob blob_of(const std::string& archive);

}  // namespace mybuild::snapshotter::testing
