// SPDX-License-Identifier: Apache-2.0
// libgit2's objects as owners and its failures as errors. Thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>

namespace mybuild::git {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Repository = std::unique_ptr<git_repository, FreeWith<git_repository_free>>;
using RemoteHandle = std::unique_ptr<git_remote, FreeWith<git_remote_free>>;
using Commit = std::unique_ptr<git_commit, FreeWith<git_commit_free>>;
using Tree = std::unique_ptr<git_tree, FreeWith<git_tree_free>>;
using Blob = std::unique_ptr<git_blob, FreeWith<git_blob_free>>;
using Object = std::unique_ptr<git_object, FreeWith<git_object_free>>;
using Reference = std::unique_ptr<git_reference, FreeWith<git_reference_free>>;
using Index = std::unique_ptr<git_index, FreeWith<git_index_free>>;
using PackBuilder = std::unique_ptr<git_packbuilder, FreeWith<git_packbuilder_free>>;

/// Starts the library: no configuration, attributes or templates of this machine, bounded maps.
/// `home` is where it looks for .ssh/known_hosts.
Status start_library(const std::string& home);

/// The error of the call that returned `code`; `what` says what was tried.
Error library_error(int code, std::string_view what);

/// Success unless `code` is negative.
inline Status check(int code, std::string_view what) {
  return code < 0 ? Status(library_error(code, what)) : Status();
}

Result<git_oid> parse_oid(const std::string& hex);
std::string hex(const git_oid& oid);

/// The object of a kind (GIT_OBJECT_COMMIT …); `what` names it in messages.
template <class Handle>
Result<Handle> lookup(git_repository* repository, const git_oid& oid, git_object_t type,
                      std::string_view what) {
  git_object* object = nullptr;
  TRY(check(git_object_lookup(&object, repository, &oid, type), what));
  return Handle(reinterpret_cast<typename Handle::pointer>(object));
}

/// A commit, also through an annotated tag.
Result<Commit> lookup_commit(git_repository* repository, const git_oid& oid);

}  // namespace mybuild::git
