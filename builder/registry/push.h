// SPDX-License-Identifier: Apache-2.0
// RegistryPush: the push half of the OCI distribution-spec: blobs (looked for before they are sent,
// mounted from another repository of the registry where that has them) and manifests. What the
// registry says it stored is compared with what was sent. Thread-safe.
#pragma once

#include "builder/registry/auth.h"
#include "builder/registry/transport.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/reference.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mybuild::registry {

enum class Delivery { AlreadyThere, Mounted, Sent };

struct BlobUpload {
  oci::Descriptor blob;
  /// Its bytes from an offset on; called for each attempt. Empty: it cannot be sent, only found or
  /// mounted.
  std::function<Result<std::unique_ptr<Source>>(std::uint64_t offset)> open;
  std::string mount_from;  // a repository of the same registry that may have it; may be empty
};

class RegistryPush {
 public:
  virtual ~RegistryPush() = default;
  /// Makes the blob part of the reference's repository. NotFound when it is not there and cannot be
  /// sent.
  virtual Result<Delivery> blob(const oci::Reference& target, const BlobUpload& upload,
                                const Cancel& cancel) = 0;
  /// Stores a manifest or index under the reference's tag, else under its digest.
  virtual Status manifest(const oci::Reference& target, const oci::Descriptor& descriptor,
                          const std::string& bytes, const Cancel& cancel) = 0;
  /// What the reference's tag names now; nullopt when it is not there, or the registry does not
  /// say.
  virtual Result<std::optional<Digest>> current(const oci::Reference& target,
                                                const Cancel& cancel) = 0;
};

std::unique_ptr<RegistryPush> make_registry_push(Transport& transport, RegistryAccess access = {});

}  // namespace mybuild::registry
