// SPDX-License-Identifier: Apache-2.0
// Options of inspect, and of the same verb below container, image and volume. Value type.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"

#include <string>
#include <vector>

namespace mybuild::cli {

/// What a name may stand for.
enum class InspectType { Any, Container, Image, Volume };

struct InspectOptions {
  GlobalOptions global = {};
  InspectType type = InspectType::Any;
  bool size = false;        // of containers
  std::string format = {};  // list_format.h
  std::vector<std::string> names;
};

extern const Command<InspectOptions> kInspectCommand;
extern const Command<InspectOptions> kContainerInspectCommand;
extern const Command<InspectOptions> kImageInspectCommand;
extern const Command<InspectOptions> kVolumeInspectCommand;

}  // namespace mybuild::cli
