// SPDX-License-Identifier: Apache-2.0
// What the verbs that move whole images ask of the engine, and what they learn. Value types.
#pragma once

#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/platform.h"
#include "snapshotter/oci/reference.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::builder {

struct PullRequest {
  oci::Reference name;
  std::optional<oci::Platform> platform;  // nullopt: this machine's
};

struct PullReport {
  Digest digest;             // of the manifest or index that the name stands for
  Digest image_id;           // of the config
  bool changed = false;      // the name was unknown here, or meant another image
  oci::Reference name = {};  // in full: what a name without a registry was found to mean
};

struct PushReport {
  oci::Descriptor manifest;
};

struct LoadedName {
  Digest image_id;
  std::vector<oci::Reference> names;  // may be empty
};

struct ManifestQuestion {
  std::optional<oci::Reference> list;  // of the image `name` as this list has it
  oci::Reference name;
  bool verbose = false;  // name, descriptor, platform and document of each image
};

}  // namespace mybuild::builder
