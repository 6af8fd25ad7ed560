// SPDX-License-Identifier: Apache-2.0
// TreeWriter: a commit's tree as files below a directory: 0644 or 0755, all times the same. Nothing
// that a tree says leads elsewhere: names are single new components, made with O_EXCL and
// O_NOFOLLOW below a descriptor. Attributes (line ends, ident) are applied as git does on checkout,
// no filter program runs. Thread-compatible.
#pragma once

#include "builder/git/helper/libgit2.h"
#include "builder/git/helper/reporter.h"
#include "snapshotter/base/fd.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mybuild::git {

/// What one checkout, with its submodules, may come to.
struct Budget {
  std::uint64_t files = 2'000'000;  // and directories
  std::uint64_t bytes = std::uint64_t{64} << 30U;
  std::uint64_t written = 0;  // files so far
  std::uint64_t expected = 0;
};
inline constexpr std::size_t kMaxTreeDepth = 200;

/// A commit of another repository.
struct Gitlink {
  std::string path;  // in its repository
  git_oid commit;
};

class TreeWriter {
 public:
  TreeWriter(git_repository* repository, const git_oid& commit, std::int64_t time,
             Reporter& reporter, Budget& budget)
      : repository_(repository),
        commit_(commit),
        time_(time),
        reporter_(reporter),
        budget_(budget) {}

  /// Writes the tree that is at `path` of the repository into the directory `target`.
  /// `has_attributes`: a directory above has .gitattributes.
  Status write(const git_tree* tree, const std::string& path, bool has_attributes, int target);
  /// Found on the way: empty directories so far.
  const std::vector<Gitlink>& gitlinks() const { return gitlinks_; }

 private:
  Result<std::uint64_t> count(const git_tree* tree, std::size_t depth);
  Status write_level(const git_tree* tree, const std::string& path, bool has_attributes, int target,
                     std::size_t depth);
  Status write_entry(const git_tree_entry* entry, const std::string& path, bool has_attributes,
                     int target, std::size_t depth);
  Status write_file(const git_tree_entry* entry, const std::string& path, bool filtered,
                    int target);
  Status write_link(const git_tree_entry* entry, const std::string& path, int target);
  Status make_directory(const std::string& name, int target, Fd& made);
  Result<Blob> blob(const git_tree_entry* entry, const std::string& path);
  Status spend(std::uint64_t bytes, const std::string& path);

  git_repository* repository_;
  git_oid commit_;
  std::int64_t time_;
  Reporter& reporter_;
  Budget& budget_;
  std::vector<Gitlink> gitlinks_;
  std::map<std::string, std::uint64_t> counts_;  // by tree id
};

/// Why an entry of a tree cannot be a file, by name; `path` is where its tree lies.
Status check_entry_name(std::string_view name, const std::string& path);
/// That a path of a commit means two things.
Error two_entries(const std::string& path);
bool has_attributes_file(const git_tree* tree);

}  // namespace mybuild::git
