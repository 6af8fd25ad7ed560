// SPDX-License-Identifier: Apache-2.0
// What `inspect` says of a container, in docker's form. A pure function, thread-safe.
#pragma once

#include "builder/engine.h"
#include "builder/run/container_record.h"
#include "builder/usage.h"

#include <nlohmann/json_fwd.hpp>

#include <sys/types.h>

#include <optional>

namespace mybuild::cli {

struct InspectedContainer {
  run::Container container;
  pid_t program = 0;
  builder::ContainerRoot root;
  std::optional<builder::ContainerSize> size = {};  // where it was asked for
};

/// What containers of ours cannot have is what docker says of one without it.
nlohmann::ordered_json container_json(const InspectedContainer& inspected);

}  // namespace mybuild::cli
