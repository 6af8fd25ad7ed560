// SPDX-License-Identifier: Apache-2.0
// What `ps` prints, in docker's forms. A pure function to text, thread-safe.
#pragma once

#include "builder/run/container_record.h"
#include "builder/usage.h"
#include "cmd/mybuild/cli/container_options.h"
#include "snapshotter/metadata.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::cli {

struct ListedContainer {
  run::Container container;
  std::optional<builder::ContainerSize> size = {};  // where it was asked for
};

/// `images`: the rows of the local store, as a name may have moved to another image since.
Result<std::string> container_list_text(const std::vector<ListedContainer>& containers,
                                        const std::vector<snapshotter::ImageRow>& images,
                                        const PsOptions& options, Time now);

}  // namespace mybuild::cli
