// SPDX-License-Identifier: Apache-2.0
// What a server has under which names, and which of them somebody means. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::git {

/// A line of `git ls-remote`: a name and the 40 hexadecimal digits of an object.
struct AdvertisedRef {
  std::string name;  // "refs/tags/v1"; "refs/tags/v1^{}" is what that tag stands for
  std::string object;
  std::string symref;  // HEAD: the branch that it is, if the server says so
};

struct ChosenRef {
  std::string name;    // full name; "HEAD" when the server does not say which branch it is
  std::string object;  // commit or annotated tag
  std::string commit;  // what a tag was said to stand for, else `object`
};

/// 40 hexadecimal digits in lower case.
bool is_commit_id(std::string_view text);

/// In BuildKit's order: "" is HEAD; the full name; a branch; a tag (as git checkout, branches
/// first). NotFound names refs that are close.
Result<ChosenRef> choose_ref(std::span<const AdvertisedRef> refs, const std::string& wanted);

/// Whether `checksum`, a commit or how it begins (7 digits at least), is this one; an error names
/// both.
Status check_commit(const std::string& checksum, const ChosenRef& ref);

}  // namespace mybuild::git
