// SPDX-License-Identifier: Apache-2.0
// What a registry says that it stored (distribution-spec, "Docker-Content-Digest"). Inside
// builder/registry. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/base/digest.h"

namespace mybuild::registry {

inline Result<Digest> stored_digest(const Response& response) {
  return Digest::parse(response.header("docker-content-digest"));
}

/// A registry that took other bytes than we think must not be believed.
inline Status check_stored(const Response& response, const Digest& digest) {
  const Result<Digest> stored = stored_digest(response);
  if (stored && *stored != digest) {
    return data_loss("the registry says that it stored {}", stored->str());
  }
  return {};
}

}  // namespace mybuild::registry
