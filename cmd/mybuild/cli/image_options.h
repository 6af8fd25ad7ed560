// SPDX-License-Identifier: Apache-2.0
// Options of the verbs over the local store (images, inspect, rmi) and of version. Value types.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"
#include "cmd/mybuild/cli/table_text.h"

namespace mybuild::cli {

struct ImagesOptions {
  GlobalOptions global = {};
  bool quiet = false;
  bool no_trunc = false;
  bool digests = false;
  ListFormat format = {};
  std::string repository = {};  // empty: all; "repo" or "repo:tag"
};

struct InspectOptions {
  GlobalOptions global = {};
  std::string format = {};  // "json" or a template; empty: an indented array
  std::vector<std::string> names;
};

struct RmiOptions {
  GlobalOptions global = {};
  bool force = false;
  std::vector<std::string> names;
};

struct VersionOptions {
  GlobalOptions global = {};
};

extern const Command<ImagesOptions> kImagesCommand;
extern const Command<InspectOptions> kInspectCommand;
extern const Command<RmiOptions> kRmiCommand;
extern const Command<VersionOptions> kVersionCommand;

}  // namespace mybuild::cli
