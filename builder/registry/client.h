// SPDX-License-Identifier: Apache-2.0
// RegistryClient: the pull half of the OCI distribution-spec over a Transport: manifests and blobs,
// from mirrors first where there are any, logins and tokens, retries with backoff of what may help.
// Thread-safe.
#pragma once

#include "builder/registry/auth.h"
#include "builder/registry/transport.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/reference.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::registry {

struct ManifestDocument {
  Digest digest;
  std::string media_type;
  std::string bytes;
};

class RegistryClient {
 public:
  virtual ~RegistryClient() = default;
  /// What a name that was written without a registry may mean here, in the order to look.
  virtual Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) {
    return std::vector{reference};
  }
  /// By tag or digest; the bytes are checked against the digest (asked for, or sent by the
  /// registry). NotFound says what is not there, Denied that the registry wants credentials.
  virtual Result<ManifestDocument> manifest(const oci::Reference& reference,
                                            const Cancel& cancel) = 0;
  /// What a tag names now, without its document where the registry says it (HEAD). Fails as
  /// manifest() does.
  virtual Result<Digest> current(const oci::Reference& reference, const Cancel& cancel) {
    return TRY(manifest(reference, cancel))
    .digest;
  }
  /// All tags of the repository, in the registry's order.
  virtual Result<std::vector<std::string>> tags(const oci::Reference& reference, const Cancel&) {
    return unsupported("{}: tags cannot be listed", reference.familiar());
  }
  /// Streams a blob; DataLoss when size or digest differ from the descriptor. `sink` may have seen
  /// wrong bytes by then.
  virtual Status blob(const oci::Reference& reference, const oci::Descriptor& descriptor,
                      Sink& sink, const Cancel& cancel) = 0;
  /// The same for a sink that compares the digest itself, as the content store's do: here only the
  /// size is checked.
  virtual Status blob_to_store(const oci::Reference& reference, const oci::Descriptor& descriptor,
                               Sink& sink, const Cancel& cancel) {
    return blob(reference, descriptor, sink, cancel);
  }
};

std::unique_ptr<RegistryClient> make_registry_client(Transport& transport,
                                                     RegistryAccess access = {});

}  // namespace mybuild::registry
