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

/// A session at a registry: where the bytes of a blob will go.
struct BegunUpload {
  std::string location;
  std::uint64_t least_piece = 0;  // the registry's wish
};

struct BlobUpload {
  oci::Descriptor blob;
  /// Its bytes from an offset on; called for each attempt. Empty: it cannot be sent, only found or
  /// mounted.
  std::function<Result<std::unique_ptr<Source>>(std::uint64_t offset)> open;
  std::string mount_from;  // a repository of the same registry that may have it; may be empty
  /// False for what can be sent, is likely new and so small that the question would cost more than
  /// the answer saves.
  bool ask_first = true;
  std::optional<BegunUpload> begun = {};  // of begin(): used where the blob has to be sent
};

/// A blob that is sent while it is made.
struct BlobStream {
  /// Its bytes from the first on, as they come; called again where they must be sent again. Their
  /// end is told when all are there, or where nobody wants the rest.
  std::function<Result<std::unique_ptr<Source>>()> open;
  /// After that end: what it was. Where it became nothing, or not all was read, an error, and the
  /// registry is asked to forget it.
  std::function<Result<oci::Descriptor>()> blob;
};

class RegistryPush {
 public:
  virtual ~RegistryPush() = default;
  /// Makes the blob part of the reference's repository. NotFound when it is not there and cannot be
  /// sent.
  virtual Result<Delivery> blob(const oci::Reference& target, const BlobUpload& upload,
                                const Cancel& cancel) = 0;
  /// Begins an upload, in one attempt, for a blob that nobody knows yet; it goes with blob(), or
  /// the registry is told to forget() it.
  virtual Result<BegunUpload> begin(const oci::Reference&, const Cancel&) {
    return unsupported("uploads are begun when they are needed");
  }
  /// Asks the registry once; not where the build is cancelled.
  virtual void forget(const oci::Reference&, const BegunUpload&, const Cancel&) {}
  /// Makes a blob part of the repository whose digest nobody knows yet, in one attempt: where that
  /// fails, it is time for blob() when it is whole. `stop` ends it; what the registry has of it by
  /// then is forgotten there, unless the build is cancelled.
  virtual Status stream(const oci::Reference&, const BlobStream&, const Cancel& /*stop*/,
                        const Cancel& /*cancel*/) {
    return unsupported("blobs are sent when they are whole");
  }
  /// Stores a manifest or index under the reference's tag, else under its digest. NotFound or
  /// InvalidArgument when the registry refuses it, as where it has not got all that it names.
  virtual Status manifest(const oci::Reference& target, const oci::Descriptor& descriptor,
                          const std::string& bytes, const Cancel& cancel) = 0;
  /// What the reference's tag names now; nullopt when it is not there, or the registry does not
  /// say.
  virtual Result<std::optional<Digest>> current(const oci::Reference& target,
                                                const Cancel& cancel) = 0;
};

std::unique_ptr<RegistryPush> make_registry_push(Transport& transport, RegistryAccess access = {});

}  // namespace mybuild::registry
