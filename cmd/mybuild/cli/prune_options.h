// SPDX-License-Identifier: Apache-2.0
// Options of `mybuild prune` and `mybuild image prune`. Value types.
#pragma once

#include "builder/space/policy.h"
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <string>
#include <vector>

namespace mybuild::cli {

struct CachePruneOptions {
  GlobalOptions global = {};
  bool force = false;    // nobody is asked
  bool verbose = false;  // whole ids, and what it was
  bool json = false;
  std::vector<std::string> filters = {};
  space::Rule rule = {};  // all of the above that chooses
};

struct ImagePruneOptions {
  GlobalOptions global = {};
  bool all = false;  // those with names too
  bool force = false;
  std::vector<std::string> filters = {};
};

extern const Command<CachePruneOptions> kPruneCommand;
extern const Command<ImagePruneOptions> kImagePruneCommand;

/// Seconds since the epoch, for what `until=` means.
std::int64_t seconds_now();

}  // namespace mybuild::cli
