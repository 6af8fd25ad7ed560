// SPDX-License-Identifier: Apache-2.0
// What `manifest inspect` prints: docker's forms, each with its last newline. Pure.
#pragma once

#include "builder/manifest_list/list.h"

#include <string>
#include <vector>

namespace mybuild::manifest_list {

/// The manifest's own words, indented.
std::string manifest_text(const ListedImage& image);
std::string index_text(const oci::Index& index);
/// --verbose: name, descriptor with platform, and manifest (in base64 its bytes, too) of one image;
/// of all of a list.
std::string verbose_text(const ListedImage& image);
std::string verbose_text(const std::vector<ListedImage>& images);

}  // namespace mybuild::manifest_list
