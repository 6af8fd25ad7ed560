// SPDX-License-Identifier: Apache-2.0
// Options of the verbs over the local store (images, rmi) and of version. Value types.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/cli/global_options.h"

namespace mybuild::cli {

struct ImagesOptions {
  GlobalOptions global = {};
  bool quiet = false;
  bool no_trunc = false;
  bool digests = false;
  std::string format = {};
  Filters filters = {};
  std::string repository = {};  // empty: all; "repo" or "repo:tag"
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
extern const Command<RmiOptions> kRmiCommand;
extern const Command<VersionOptions> kVersionCommand;

}  // namespace mybuild::cli
