// SPDX-License-Identifier: Apache-2.0
// What registries have under a name: one image, or an index of several. Only documents are fetched,
// all checked against their digests. Thread-safe.
#pragma once

#include "builder/manifest_list/list.h"
#include "builder/registry/client.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/lanes.h"

#include <optional>
#include <vector>

namespace mybuild::manifest_list {

struct RegistryAccess {
  registry::RegistryClient& registry;
  Lanes& lanes;
  const Cancel& cancel;
};

/// One image with the platform that its config says. An index is refused by name.
Result<ListedImage> look_up_image(const oci::Reference& name, const RegistryAccess& access);

struct Found {
  std::optional<oci::Index> index;  // nullopt: the name is that of `images.front()`
  std::vector<ListedImage> images;
};

/// With `each_image`, the images of an index too (its own descriptors say what their platforms are,
/// their configs where it does not), and an image's platform.
Result<Found> look_up(const oci::Reference& name, bool each_image, const RegistryAccess& access);

}  // namespace mybuild::manifest_list
