// SPDX-License-Identifier: Apache-2.0
// Mirror: the bare repositories that are kept of one remote, under the digest of its URL: "shallow"
// as the git program fetches it, "full" as libgit2 does. Others may use them at the same time:
// reading takes a shared lock, changing an exclusive one. What a killed process left there is
// cleared away by the next who changes something. Thread-compatible.
#pragma once

#include "builder/git/helper/libgit2.h"
#include "builder/git/helper/reporter.h"
#include "builder/git/remote.h"
#include "snapshotter/base/file.h"

#include <optional>
#include <string>

namespace mybuild::git {

class Mirror {
 public:
  enum class Kind { Shallow, Full };

  /// Makes the directory if need be; holds no lock yet.
  static Result<Mirror> open(const std::string& mirrors, const Remote& remote, Reporter& reporter);

  /// Waits for the lock; the one held before is let go first, so what was seen must be looked at
  /// again.
  Status lock(FileLock::Mode mode);
  void unlock() { lock_.reset(); }

  /// The repository that has this commit (or tag, and its commit); null when none has.
  Repository find(const git_oid& object) const;
  /// A repository has the object by its refs and cannot give it: its files lost bytes.
  bool is_damaged(const git_oid& object) const;
  /// With the exclusive lock: the repository to fetch into, swept or made.
  Result<Repository> prepare(Kind kind);
  std::string path(Kind kind) const;
  /// With the exclusive lock: all of it goes.
  Status discard();

 private:
  Mirror(std::string directory, std::string url, Reporter& reporter)
      : directory_(std::move(directory)), url_(std::move(url)), reporter_(&reporter) {}
  Status make(Kind kind);

  std::string directory_;
  std::string url_;
  Reporter* reporter_;
  std::optional<FileLock> lock_;
};

}  // namespace mybuild::git
