// SPDX-License-Identifier: Apache-2.0
// Options of the verbs that look into the local store: history, explain, du. Value types.
#pragma once

#include "builder/space/filter.h"
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <string>
#include <vector>

namespace mybuild::cli {

struct HistoryOptions {
  GlobalOptions global = {};
  std::string format = {};
  bool quiet = false;
  bool no_trunc = false;
  bool human = true;
  std::string image = {};
};

struct DuOptions {
  GlobalOptions global = {};
  std::string format = {};
  bool verbose = false;
  std::vector<std::string> filters = {};
  space::Filter filter = {};  // of all of them
};

struct ExplainOptions {
  GlobalOptions global = {};
  std::string format = {};
  bool list = false;
  std::string build = {};  // "": the newest
};

extern const Command<ExplainOptions> kExplainCommand;
extern const Command<HistoryOptions> kHistoryCommand;
extern const Command<DuOptions> kDuCommand;

}  // namespace mybuild::cli
