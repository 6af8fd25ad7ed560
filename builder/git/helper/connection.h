// SPDX-License-Identifier: Apache-2.0
// Git servers through libgit2: what they have, and fetching it with its whole history (libgit2 1.5
// knows neither depths nor dumb HTTP; git_program.h does). Thread-compatible.
#pragma once

#include "builder/git/helper/libgit2.h"
#include "builder/git/helper/session.h"
#include "builder/git/ref_choice.h"

#include <string>
#include <vector>

namespace mybuild::git {

/// As `git ls-remote`.
Result<std::vector<AdvertisedRef>> list_refs(Session& session, const Remote& remote);
/// As `git fetch` with these refspecs and no others.
Status fetch_all(Session& session, const Remote& remote, git_repository* repository,
                 const std::vector<std::string>& refspecs);

/// What may be asked for no longer by name: garbage that a server calls a ref is left out.
bool is_ref_name(const std::string& name);

}  // namespace mybuild::git
