// SPDX-License-Identifier: Apache-2.0
// /v2/<name>/blobs/uploads/… (distribution spec: end-4a to end-6, end-11, end-13): a blob in one
// request, in a stream, in chunks that follow each other, or taken over from where it is already.
// Thread-safe.
#pragma once

#include "builder/cache_server/registry/registry_deps.h"
#include "builder/cache_server/registry/repository_request.h"
#include "builder/cache_server/registry/upload_sessions.h"

#include <memory>

namespace mybuild::cache_server {

class Uploads {
 public:
  explicit Uploads(const RegistryDeps& deps)
      : deps_(deps), sessions_(deps.blobs, deps.clock, deps.space_left) {}
  /// Of /v2/<name>/blobs/uploads/ itself.
  std::unique_ptr<Exchange> begin_new(RepositoryRequest request);
  /// Of an upload, whose id is the reference.
  std::unique_ptr<Exchange> begin(const RepositoryRequest& request);
  UploadSessions& sessions() { return sessions_; }

 private:
  using Lease = UploadSessions::Lease;
  using Done = std::function<Answer(Lease lease)>;

  Result<bool> mount(const RepositoryRequest& request, const Digest& digest);
  Answer open(const RepositoryRequest& request);
  std::unique_ptr<Exchange> whole(const RepositoryRequest& request);
  /// For PATCH and PUT: looks at Content-Range and the room, then takes the body.
  std::unique_ptr<Exchange> take(const RepositoryRequest& request, Lease lease, Done done);
  Answer commit(const RepositoryRequest& request, const Digest& digest, Lease lease);

  const RegistryDeps& deps_;
  UploadSessions sessions_;
};

}  // namespace mybuild::cache_server
