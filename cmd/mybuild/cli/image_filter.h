// SPDX-License-Identifier: Apache-2.0
// --filter of `images`: which of them are asked for, by docker's rules. Pure functions,
// thread-safe.
#pragma once

#include "cmd/mybuild/cli/image_list.h"
#include "snapshotter/oci/image_config.h"

#include <functional>
#include <string>
#include <vector>

namespace mybuild::cli {

/// Refuses keys that are not known and values that no image can have.
Status check_image_filters(const Filters& filters);

struct ImageLookups {
  std::function<Result<oci::ImageConfig>(const snapshotter::ImageRow&)> config;
  std::function<Result<snapshotter::ImageRow>(const std::string& name)> find;  // of before, since
};

/// What the filters ask for, in the same order. Configs are read only when a filter needs them.
Result<std::vector<ListedImage>> wanted_images(std::vector<ListedImage> images,
                                               const Filters& filters, const ImageLookups& lookups,
                                               Time now);

}  // namespace mybuild::cli
