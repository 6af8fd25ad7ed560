// SPDX-License-Identifier: Apache-2.0
// How a commit gets into the mirror of its remote: not at all when it is there; with the git
// program without its history; with libgit2 otherwise. Thread-compatible.
#pragma once

#include "builder/git/helper/mirror.h"
#include "builder/git/helper/session.h"
#include "builder/git/ref_choice.h"

#include <string>
#include <vector>

namespace mybuild::git {

struct Wanted {
  Remote remote;
  std::string object;    // commit or tag
  std::string ref_name;  // where the remote has it; "" = not known
};

/// A repository with the wanted commit; the mirror is locked shared.
struct Located {
  Mirror mirror;
  Repository repository;
};

Result<Located> locate(Session& session, const Wanted& wanted);

/// What a remote has: by libgit2, or by the git program where libgit2 cannot (dumb HTTP, a
/// redirect of a request with credentials).
Result<std::vector<AdvertisedRef>> ask_refs(Session& session, const Remote& remote);

}  // namespace mybuild::git
