// SPDX-License-Identifier: Apache-2.0
// Options of the verbs under `mybuild volume`. Value types.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/cli/global_options.h"

#include <map>
#include <string>
#include <vector>

namespace mybuild::cli {

struct VolumeListOptions {
  GlobalOptions global = {};
  bool quiet = false;
  std::string format = {};
  Filters filters = {};
};

struct VolumeCreateOptions {
  GlobalOptions global = {};
  std::map<std::string, std::string> labels;
  std::string name;  // empty: an anonymous one
};

struct VolumeRmOptions {
  GlobalOptions global = {};
  bool force = false;  // a missing one is no error
  std::vector<std::string> names;
};

extern const Command<VolumeListOptions> kVolumeListCommand;
extern const Command<VolumeCreateOptions> kVolumeCreateCommand;
extern const Command<VolumeRmOptions> kVolumeRmCommand;
extern const Command<PruneOptions> kVolumePruneCommand;

}  // namespace mybuild::cli
