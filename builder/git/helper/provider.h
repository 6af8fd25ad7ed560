// SPDX-License-Identifier: Apache-2.0
// Provider: the files of a commit in a directory, those of its submodules with them. Each
// repository has its own mirror; only one is locked at a time. Thread-compatible.
#pragma once

#include "builder/git/gitmodules.h"
#include "builder/git/helper/fetcher.h"
#include "builder/git/helper/tree_writer.h"

#include <map>
#include <string>
#include <vector>

namespace mybuild::git {

inline constexpr int kMaxSubmoduleDepth = 10;
inline constexpr int kMaxSubmodules = 1000;

class Provider {
 public:
  explicit Provider(Session& session) : session_(session) {}
  /// The request's commit in its destination.
  Result<HelperResult> provide();

 private:
  /// A commit, or a directory of it, that belongs into a directory.
  struct Place {
    Wanted wanted;
    std::string subdir;  // of the commit
    std::string target;  // below the destination, "" = it
    std::string name;    // for messages: the path of the submodule
    int depth = 0;       // of submodules
  };
  /// What a repository says of the others in it, and where they belong.
  struct Found {
    std::vector<Gitlink> links;
    std::map<std::string, Submodule> modules;
    std::string rest;  // the subdir leads on into the only link, by this path
    bool leads_on = false;
  };

  Status place(const Place& place);
  Result<Found> check_out(const Place& place);
  Result<Found> write(const Located& located, const Place& place);
  Result<Tree> enter(git_repository* repository, Tree root, const Place& place, Found& found,
                     bool& has_attributes);
  Status keep_git_dir(const Located& located);
  Status place_submodules(const Place& parent, const Found& found);
  Result<Place> submodule(const Place& parent, const Found& found, const Gitlink& link);
  Result<Fd> open_target(const Place& place) const;

  Session& session_;
  Budget budget_;
  int submodules_ = 0;
  HelperResult result_;
};

}  // namespace mybuild::git
