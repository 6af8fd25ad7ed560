// SPDX-License-Identifier: Apache-2.0
// What `volume ls` and `inspect` print of volumes, in docker's forms. Pure functions, thread-safe.
#pragma once

#include "builder/run/volumes.h"
#include "cmd/mybuild/cli/volume_options.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace mybuild::cli {

Result<std::string> volume_list_text(const std::vector<run::VolumeInfo>& volumes,
                                     const VolumeListOptions& options);
/// The volume as inspect shows it.
nlohmann::ordered_json volume_json(const run::VolumeInfo& volume);

}  // namespace mybuild::cli
