// SPDX-License-Identifier: Apache-2.0
// Who the command runs as: USER looked up in the root's own /etc/passwd and /etc/group as docker
// does, and the switch to that user with its capabilities. Single-threaded, helper side (lookup and
// parsing: thread-safe).
#pragma once

#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::sandbox {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary; `gid` is one of them
  std::string home = "/";
};

/// `user`: "", "name", "uid", "user:group". An unknown name is NotFound; a number needs no entry.
Result<Identity> find_identity(std::string_view user, std::string_view passwd,
                               std::string_view group);
/// The same with the files of the root directory `root_fd`; a missing file counts as empty.
Result<Identity> find_identity_in_root(int root_fd, std::string_view user);

Result<std::uint64_t> effective_capabilities();
/// Leaves only `capabilities` (CAP_* numbers, as far as this process has them) in the permitted,
/// effective and bounding sets, none inheritable or ambient, and becomes `identity`; a user other
/// than 0 keeps the bounding set only.
Status become(const Identity& identity, const std::vector<int>& capabilities);
/// The part of become() that can be done while all rights are still needed: programs that are
/// started gain no others from here on.
Status limit_gains(const std::vector<int>& capabilities);
/// Becomes `identity` with all capabilities this process has.
Status become_with_all_capabilities(const Identity& identity);

}  // namespace mybuild::sandbox
