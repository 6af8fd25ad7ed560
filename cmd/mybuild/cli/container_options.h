// SPDX-License-Identifier: Apache-2.0
// Options of the verbs on containers (ps, start, rm, stop, kill, container prune). Value types.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace mybuild::cli {

using Filters = std::multimap<std::string, std::string>;

struct PsOptions {
  GlobalOptions global = {};
  bool all = false;
  bool quiet = false;
  bool no_trunc = false;
  bool size = false;
  std::size_t last = 0;  // only the newest ones, running or not; 0: no limit
  std::string format = {};
  Filters filters = {};
};

struct StartOptions {
  GlobalOptions global = {};
  bool attach = false;
  bool interactive = false;
  std::string name;
};

struct RmOptions {
  GlobalOptions global = {};
  bool force = false;
  bool volumes = false;
  std::vector<std::string> names;
};

/// stop and kill.
struct StopOptions {
  GlobalOptions global = {};
  std::string signal;  // empty: what the container's image says, or the verb's own
  std::chrono::seconds grace{10};
  std::vector<std::string> names;
};

struct PruneOptions {
  GlobalOptions global = {};
  bool force = false;  // do not ask
  bool all = false;    // volumes: those with names too
};

extern const Command<PsOptions> kPsCommand;
extern const Command<StartOptions> kStartCommand;
extern const Command<RmOptions> kRmCommand;
extern const Command<StopOptions> kStopCommand;
extern const Command<StopOptions> kKillCommand;
extern const Command<PruneOptions> kContainerPruneCommand;

/// "key=value".
Status add_filter(Filters& filters, std::string_view text);

}  // namespace mybuild::cli
