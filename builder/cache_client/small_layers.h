// SPDX-License-Identifier: Apache-2.0
// SmallLayers: layers that are about to be needed, fetched many at once, so that a server far away
// costs one round trip and not one for each. A short cut and no more: what does not come this way
// is fetched alone. Thread-safe.
#pragma once

#include "builder/cache_client/server_link.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/oci/descriptor.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cache_client {

class SmallLayers {
 public:
  explicit SmallLayers(ServerLink& link) : link_(link) {}
  /// Asks for those of them that are small, and waits for the answer. `space` reads all of them.
  void fetch(const std::vector<oci::Descriptor>& blobs, const std::string& space,
             const Cancel& cancel);
  /// The bytes, checked by digest, once.
  std::optional<std::string> take(const Digest& blob);

 private:
  void keep(const std::vector<Digest>& asked, const std::string& answer);

  ServerLink& link_;
  Guarded<std::map<Digest, std::string>> fetched_;
};

}  // namespace mybuild::cache_client
