// SPDX-License-Identifier: Apache-2.0
// The mounts of a container beside its root: the request's volumes and those that the image
// declares.
#pragma once

#include "builder/run/container.h"

#include <string>
#include <vector>

namespace mybuild::run {

/// Parents before what is mounted inside them.
void sort_mounts(std::vector<sandbox::PlanMount>& mounts);

/// docker makes a missing source as an empty directory.
Status make_volume_sources(const std::vector<Volume>& volumes);

/// A directory below `volumes_dir` for each VOLUME of the image that no mount of `plan` covers,
/// filled with what the image has at that path, and added to the plan.
Status add_image_volumes(const oci::ImageConfig& config, const std::vector<std::string>& layer_dirs,
                         const std::string& volumes_dir, sandbox::SandboxPlan& plan);

}  // namespace mybuild::run
