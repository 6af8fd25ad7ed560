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
  Digest digest;         // of the manifest or index that the name stands for
  Digest image_id;       // of the config
  bool changed = false;  // the name was unknown here, or meant another image
};

struct PushReport {
  oci::Descriptor manifest;
};

struct LoadedName {
  Digest image_id;
  std::vector<oci::Reference> names;  // may be empty
};

}  // namespace mybuild::builder
