// SPDX-License-Identifier: Apache-2.0
// The mounts of a container beside its root: directories of the host, volumes that the request
// names, and those that the image declares. What is mounted is decided before the container exists,
// so that its record says it; making and filling volumes comes after.
#pragma once

#include "builder/run/container.h"

#include <string>
#include <vector>

namespace mybuild::run {

/// Parents before what is mounted inside them.
void sort_mounts(std::vector<sandbox::PlanMount>& mounts);

/// Adds the volumes of the request, and one for each VOLUME of the image that nothing covers, to
/// the plan; anonymous ones get new names.
Result<std::vector<VolumeUse>> add_volumes(const oci::ImageConfig& config,
                                           const RunRequest& request, const VolumeStore& volumes,
                                           sandbox::SandboxPlan& plan);

/// docker makes a missing source as an empty directory.
Status make_volume_sources(const std::vector<Volume>& volumes);

/// Makes what is missing, and fills what is empty with what the image has there.
Status prepare_volumes(const std::vector<VolumeUse>& uses,
                       const std::vector<std::string>& layer_dirs, VolumeStore& volumes);

}  // namespace mybuild::run
