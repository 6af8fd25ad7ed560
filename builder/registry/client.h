// SPDX-License-Identifier: Apache-2.0
// RegistryClient: the pull half of the OCI distribution-spec over a Transport: manifests and blobs,
// anonymous bearer tokens, retries with backoff of what may help. Loopback registries are spoken to
// over plain HTTP. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/reference.h"

#include <memory>
#include <string>

namespace mybuild::registry {

struct ManifestDocument {
  Digest digest;
  std::string media_type;
  std::string bytes;
};

class RegistryClient {
 public:
  virtual ~RegistryClient() = default;
  /// By tag or digest; the bytes are checked against the digest (asked for, or sent by the
  /// registry). NotFound says what is not there, Denied that the registry wants credentials.
  virtual Result<ManifestDocument> manifest(const oci::Reference& reference,
                                            const Cancel& cancel) = 0;
  /// Streams a blob; DataLoss when size or digest differ from the descriptor. `sink` may have seen
  /// wrong bytes by then.
  virtual Status blob(const oci::Reference& reference, const oci::Descriptor& descriptor,
                      Sink& sink, const Cancel& cancel) = 0;
};

std::unique_ptr<RegistryClient> make_registry_client(Transport& transport);

}  // namespace mybuild::registry
