// SPDX-License-Identifier: Apache-2.0
// Endpoint: one place where a repository may be asked, and how it is spoken to. Value type.
#pragma once

#include "builder/registry/tls.h"

#include <memory>
#include <string>

namespace mybuild::registry {

struct Endpoint {
  std::string registry;    // as in names of images, and in files with logins: "docker.io"
  std::string origin;      // "https://registry-1.docker.io"
  std::string repository;  // what it is called there
  std::shared_ptr<const TlsSettings> tls;  // null: nothing but what the system says
  bool insecure = false;                   // certificates are not checked, and plain http will do
  bool mirror = false;                     // another one may have it, too
  /// What the distribution-spec puts everything of the repository below.
  std::string api() const { return origin + "/v2/" + repository; }
};

/// What is wanted of a repository: not every mirror serves all of it.
enum class Purpose { PullByTag, PullByDigest, Blob, Push };

}  // namespace mybuild::registry
