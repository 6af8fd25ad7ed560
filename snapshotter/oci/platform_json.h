// SPDX-License-Identifier: Apache-2.0
// A Platform as the JSON fields that descriptors and image configs share. For .cc files of this
// folder only.
#pragma once

#include "snapshotter/base/json.h"
#include "snapshotter/oci/platform.h"

namespace mybuild::oci {

/// The platform fields of `object` as they stand there, not normalised: what was read is written
/// again.
inline Result<Platform> read_platform(const JsonField& object) {
  Platform platform;
  platform.os = TRY(TRY(object.field("os")).string_or("linux"));
  platform.architecture = TRY(TRY(object.field("architecture")).string_or(""));
  platform.variant = TRY(TRY(object.field("variant")).string_or(""));
  platform.os_version = TRY(TRY(object.field("os.version")).string_or(""));
  return platform;
}

inline nlohmann::ordered_json platform_json(const Platform& platform) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  object["architecture"] = platform.architecture;
  object["os"] = platform.os;
  if (!platform.os_version.empty()) {
    object["os.version"] = platform.os_version;
  }
  if (!platform.os_features.empty()) {
    object["os.features"] = platform.os_features;
  }
  if (!platform.variant.empty()) {
    object["variant"] = platform.variant;
  }
  return object;
}

}  // namespace mybuild::oci
