// SPDX-License-Identifier: Apache-2.0
// What a build leaves for other programs: --metadata-file and --iidfile. Written as a whole or not
// at all. Thread-safe.
#pragma once

#include "builder/request.h"

#include <string>
#include <vector>

namespace mybuild::cli {

/// The image's id as docker says it: of its config, or of the index when there are several
/// platforms. May be empty.
std::string image_id(const builder::BuildReport& report);
/// All names given to the image, each once.
std::vector<std::string> image_names(const builder::BuildReport& report);
/// buildx's keys: containerimage.digest, containerimage.config.digest, containerimage.descriptor,
/// image.name.
Result<std::string> metadata_json(const builder::BuildReport& report);

Status write_iid_file(const std::string& path, const builder::BuildReport& report);
Status write_metadata_file(const std::string& path, const builder::BuildReport& report);

}  // namespace mybuild::cli
