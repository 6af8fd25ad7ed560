// SPDX-License-Identifier: Apache-2.0
// What `images` and `inspect` print, in docker's forms. Pure functions to text, thread-safe.
#pragma once

#include "cmd/mybuild/cli/image_options.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/metadata.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace mybuild::cli {

/// An image under one of its names, and "repository@digest" for each registry that has it.
struct ListedImage {
  snapshotter::ImageRow row;
  std::vector<std::string> digests = {};
};

/// The table, the IDs, or one line in the user's format per image. Images that
/// `options.repository` does not name are left out. `now` tells how long ago an image was made.
Result<std::string> image_list_text(const std::vector<ListedImage>& images,
                                    const ImagesOptions& options, Time now);

/// The image as inspect shows it. `names` are all names of the image; `config` is its config
/// document.
Result<nlohmann::ordered_json> image_json(const ListedImage& image,
                                          const std::vector<std::string>& names,
                                          const std::string& config);

}  // namespace mybuild::cli
