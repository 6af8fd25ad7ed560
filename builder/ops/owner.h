// SPDX-License-Identifier: Apache-2.0
// Who owns what a COPY makes: the value of --chown against the passwd and group files of the tree
// it is copied into.
#pragma once

#include "snapshotter/tree_view.h"

#include <sys/types.h>

#include <optional>
#include <string>

namespace mybuild::ops {

struct Ids {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// "user[:group]" as BuildKit reads it: a number alone gives the same group, a name alone its
/// primary group; a user that the tree does not know is 0, a group that it does not know the one
/// that goes with the user (sic; `unknown` then names it for a warning).
Result<Ids> resolve_owner(const std::string& text, const snapshotter::TreeView& tree,
                          std::optional<std::string>* unknown = nullptr);

}  // namespace mybuild::ops
