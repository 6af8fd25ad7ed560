// SPDX-License-Identifier: Apache-2.0
// --filter of `ps`: which containers are asked for. Pure functions, thread-safe.
#pragma once

#include "builder/run/container_record.h"
#include "cmd/mybuild/cli/container_options.h"

#include <vector>

namespace mybuild::cli {

/// Refuses keys that are not known and values that no container can have.
Status check_container_filters(const Filters& filters);

/// What the options ask for of all containers (newest first). `ancestors`: the layers of the images
/// that the filters name.
Result<std::vector<run::Container>> wanted_containers(
    const std::vector<run::Container>& all, const PsOptions& options,
    const std::vector<std::vector<Digest>>& ancestors);

}  // namespace mybuild::cli
