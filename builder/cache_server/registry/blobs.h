// SPDX-License-Identifier: Apache-2.0
// /v2/<name>/blobs/<digest> (distribution spec: end-2, end-10). A repository shows the blobs of its
// namespace and of the ancestors of that, and deletes those of its own namespace. Thread-safe.
#pragma once

#include "builder/cache_server/registry/registry_deps.h"
#include "builder/cache_server/registry/repository_request.h"

#include <memory>

namespace mybuild::cache_server {

class Blobs {
 public:
  explicit Blobs(const RegistryDeps& deps) : deps_(deps) {}
  std::unique_ptr<Exchange> begin(RepositoryRequest request);

 private:
  Result<Answer> show(const RepositoryRequest& request, const Digest& digest);
  Result<Answer> remove(const RepositoryRequest& request, const Digest& digest);

  const RegistryDeps& deps_;
};

/// Of an error of BlobKeeper::open(): also when the bytes were found to be lost just now.
bool is_gone(const Error& error);

/// Bytes of `reader` as the request's Range wants them: 200, 206 or 416. The headers are those of
/// all answers of that kind, the digest is the ETag.
Answer blob_answer(const Request& request, std::unique_ptr<BlobReader> reader, const Digest& digest,
                   const std::string& media_type);
/// The answer to a HEAD: it has a size and no bytes.
Answer blob_head(std::uint64_t size, const Digest& digest, const std::string& media_type);

}  // namespace mybuild::cache_server
