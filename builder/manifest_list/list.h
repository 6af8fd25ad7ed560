// SPDX-License-Identifier: Apache-2.0
// ManifestList: images of registries that are to be one image for several platforms, put together
// by hand (`docker manifest`). Each is kept with its manifest, so that what is pushed is what was
// looked at, whatever its tag means by then. Value types; functions are pure.
#pragma once

#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/reference.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::manifest_list {

struct ListedImage {
  oci::Reference name;         // as it was asked for
  oci::Descriptor descriptor;  // of `document`, with the platform that the index will say
  std::string document;        // its manifest
};

struct ManifestList {
  oci::Reference name;              // the tag that the index will get
  std::vector<ListedImage> images;  // in the order of the index
};

/// What a person knows better than the image's config; empty parts stay as they are, features are
/// added.
struct PlatformEdit {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;
  std::vector<std::string> os_features = {};
};

/// Adds the image, or puts it in the place of the one with its name. The same manifest again keeps
/// the platform that it has in the list. Images stand in docker's order, by name, so that equal
/// lists have equal digests with both tools.
void put_image(ManifestList& list, ListedImage image);
/// NotFound.
Result<ListedImage> find_image(const ManifestList& list, const oci::Reference& image);
/// InvalidArgument when the result is no platform that anything is built for.
Status annotate(ManifestList& list, const oci::Reference& image, const PlatformEdit& edit);

/// As it stands, complete or not.
oci::Index index_of(const ManifestList& list);
/// Fails when a registry's readers could not choose by it: each image needs a platform.
Status check_complete(const ManifestList& list);

/// The form it is kept in.
std::string dump(const ManifestList& list);
/// DataLoss when a manifest is not what its descriptor says.
Result<ManifestList> parse_list(std::string_view text);

}  // namespace mybuild::manifest_list
