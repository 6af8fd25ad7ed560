// SPDX-License-Identifier: Apache-2.0
// What `ps` and `volume ls` print, in docker's forms. Pure functions to text, thread-safe.
#pragma once

#include "builder/run/container_record.h"
#include "builder/run/volumes.h"
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/cli/volume_options.h"
#include "snapshotter/metadata.h"

#include <string>
#include <vector>

namespace mybuild::cli {

/// What the options ask for of all containers (newest first). `ancestors`: the layers of the images
/// that the filters name.
Result<std::vector<run::Container>> wanted_containers(
    std::vector<run::Container> all, const PsOptions& options,
    const std::vector<std::vector<Digest>>& ancestors);

/// `images`: the rows of the local store, as a name may have moved to another image since.
Result<std::string> container_list_text(const std::vector<run::Container>& containers,
                                        const std::vector<snapshotter::ImageRow>& images,
                                        const PsOptions& options, Time now);

Result<std::string> volume_list_text(const std::vector<run::VolumeInfo>& volumes,
                                     const VolumeListOptions& options);
/// An array of objects, or with a format one line per volume.
Result<std::string> volume_inspect_text(const std::vector<run::VolumeInfo>& volumes,
                                        const std::string& format);

}  // namespace mybuild::cli
