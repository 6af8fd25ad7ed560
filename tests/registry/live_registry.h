// SPDX-License-Identifier: Apache-2.0
// A real registry (Debian's docker-registry) on a loopback port, filled with skopeo.
#pragma once

#include "snapshotter/base/child.h"
#include "snapshotter/base/file.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::registry {

class LiveRegistry {
 public:
  /// Why it cannot run here; nullopt when it can.
  static std::optional<std::string> missing();
  static Result<LiveRegistry> start();
  int port() const { return port_; }
  /// `source` as skopeo names it ("oci:/dir:tag").
  Status push(const std::string& source, const std::string& name,
              const std::vector<std::string>& flags = {});
  Status stop();

 private:
  LiveRegistry(TempDir dir, Child child, int port)
      : dir_(std::move(dir)), child_(std::move(child)), port_(port) {}
  TempDir dir_;
  Child child_;
  int port_;
};

}  // namespace mybuild::registry
