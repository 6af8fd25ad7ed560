// SPDX-License-Identifier: Apache-2.0
// RegistryApi: everything under /v2/, as the OCI distribution spec 1.1 has it, for docker, podman,
// skopeo, buildah, containerd and mybuild itself. The caller is known already; whether he may is
// decided here, by the namespace that the repository stands below:
//
//   401  who has no good token, whatever he asks for; where anybody may read, who writes without
//        one. There /v2/ itself asks for one as well, and /v2/token gives one to everybody, as
//        clients show no token to who wants none
//   404  NAME_UNKNOWN: a repository he may not read, as if there were none. Clients go on from
//        there: a pull says "not found", an import of a cache goes on without
//   403  DENIED: writing where he may not write, and reading with a token that never may
//
// Thread-safe.
#pragma once

#include "builder/cache_server/exchange.h"
#include "builder/cache_server/registry/blobs.h"
#include "builder/cache_server/registry/manifests.h"
#include "builder/cache_server/registry/referrers.h"
#include "builder/cache_server/registry/registry_deps.h"
#include "builder/cache_server/registry/tags.h"
#include "builder/cache_server/registry/uploads.h"

#include <memory>

namespace mybuild::cache_server {

class RegistryApi final : public Handler {
 public:
  explicit RegistryApi(RegistryDeps deps) : deps_(std::move(deps)) {}
  std::unique_ptr<Exchange> begin(Request request) override;
  /// Uploads that got no byte for long go; for a timer.
  void drop_idle_uploads() { uploads_.sessions().drop_idle(); }
  std::size_t open_uploads() { return uploads_.sessions().count(); }

 private:
  struct Route;
  Result<std::unique_ptr<Exchange>> begin_in_repository(Request request, const Route& route);

  const RegistryDeps deps_;
  Blobs blobs_{deps_};
  Uploads uploads_{deps_};
  Manifests manifests_{deps_};
  Tags tags_{deps_};
  Referrers referrers_{deps_};
};

}  // namespace mybuild::cache_server
