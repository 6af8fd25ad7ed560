// SPDX-License-Identifier: Apache-2.0
// RepositoryTables: which blobs a namespace has, and what manifests, tags and referrers its
// repositories hold. A blob is linked to a namespace from when it was uploaded or mounted there; a
// manifest is a blob, too, in a repository. Whatever a manifest or a record names stays linked.
// Thread-safe.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/descriptor.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cache_server {

struct ManifestRow {
  std::string repository;
  std::string space;  // the namespace that it stands below
  Digest digest;
  std::string media_type;
  std::uint64_t size = 0;
  std::optional<Digest> subject;  // what it refers to (referrers API)
  std::string artifact_type;
  std::map<std::string, std::string> annotations;  // shown by the referrers API
  std::vector<Digest> blobs;      // config and layers that are to be there; links keep them
  std::vector<Digest> manifests;  // of an index; manifests of the same repository
};

class RepositoryTables {
 public:
  virtual ~RepositoryTables() = default;

  /// Who brought or found a blob, to name it in a manifest or a record, has so long for that,
  /// whatever is wanted meanwhile. The first record that names it ends that; who finds it later
  /// has it again.
  static constexpr std::chrono::minutes kTimeToName{10};
  /// A use is written down no more often than this, so what is collected must be older than both.
  static constexpr std::chrono::minutes kBetweenUses{5};
  static constexpr std::chrono::minutes kInUse = kTimeToName + kBetweenUses;

  /// A use. Again is success.
  virtual Status link_blob(const std::string& space, const Digest& blob, std::uint64_t size,
                           Time now) = 0;
  /// The first of these namespaces that has it; nullopt if none has. A use: whoever asks may go on
  /// to name it. Only where the disk is full nothing is written down.
  virtual Result<std::optional<std::string>> find_blob(const std::vector<std::string>& spaces,
                                                       const Digest& blob, Time now) = 0;
  /// Whether one of these namespaces has it, for who only reads its bytes. No use, writes nothing.
  virtual Result<bool> has_blob(const std::vector<std::string>& spaces, const Digest& blob) = 0;
  /// Of any namespace, for who reads all. A use.
  virtual Result<bool> has_blob_anywhere(const Digest& blob, Time now) = 0;
  /// False when it is not linked; Denied when a manifest or a record needs it.
  virtual Result<bool> unlink_blob(const std::string& space, const Digest& blob) = 0;
  /// Its bytes are lost: it is linked nowhere any more, whatever needs it, and its records go
  /// along. A manifest that needs it counts again as soon as it is linked again.
  virtual Status forget_blob(const Digest& blob) = 0;

  /// With its own bytes and all of its blobs linked in the namespace and its manifests in the
  /// repository, or NotFound, which names the first that is missing. `tag` may be "". Again is
  /// success.
  virtual Status put_manifest(const ManifestRow& manifest, const std::string& tag, Time now) = 0;
  virtual Result<std::optional<ManifestRow>> find_manifest(const std::string& repository,
                                                           const Digest& digest) = 0;
  virtual Result<std::optional<Digest>> find_tag(const std::string& repository,
                                                 const std::string& tag) = 0;
  /// With all tags on it. False when there is none; Denied when another manifest names it.
  virtual Result<bool> remove_manifest(const std::string& repository, const Digest& digest) = 0;
  virtual Result<bool> remove_tag(const std::string& repository, const std::string& tag) = 0;
  /// In the spec's lexical order ("Listing Tags": as if they were lower case), `limit` at most,
  /// those after `last` only. NotFound for a repository that holds nothing.
  virtual Result<std::vector<std::string>> tags(const std::string& repository,
                                                const std::string& last, std::size_t limit) = 0;
  /// Names of repositories that hold a manifest, in lexical order.
  virtual Result<std::vector<std::string>> repositories(const std::string& last,
                                                        std::size_t limit) = 0;
  /// Manifests whose subject is `subject`, by digest, `limit` at most, those after `last` only; of
  /// one artifact type, or all with "". Without `blobs` and `manifests`.
  virtual Result<std::vector<ManifestRow>> referrers(const std::string& repository,
                                                     const Digest& subject,
                                                     const std::string& artifact_type,
                                                     const Digest& last, std::size_t limit) = 0;

  /// Bytes of different blobs that are linked anywhere; kept, not counted.
  virtual Result<std::uint64_t> linked_bytes() = 0;
  /// Bytes of the blobs that are linked to one namespace; kept, not counted.
  virtual Result<std::uint64_t> linked_bytes_of(const std::string& space) = 0;
  /// Namespaces (not "") with more than that.
  virtual Result<std::vector<std::string>> spaces_above(std::uint64_t bytes) = 0;
  struct Unused {
    Digest blob;
    std::uint64_t size = 0;
  };
  /// Unlinks blobs that no manifest and no record needs and that nobody used since `before` (kInUse
  /// ago or earlier), the oldest first, until `enough` bytes of different blobs have no link any
  /// more. A few hundred in one call, so that nobody waits for long: none when there are no more.
  struct Unlinked {
    std::size_t links = 0;
    std::uint64_t bytes = 0;   // of what counts as enough
    std::vector<Unused> free;  // those without a link now
  };
  virtual Result<Unlinked> unlink_unused(Time before, std::uint64_t enough) = 0;
  /// Likewise of one namespace, until its links have `enough` bytes less.
  virtual Result<Unlinked> unlink_unused_of(const std::string& space, Time before,
                                            std::uint64_t enough) = 0;
  /// True when some namespace has it; under the lock of BlobKeeper who removes the file asks this.
  virtual Result<bool> is_linked(const Digest& blob) = 0;
};

}  // namespace mybuild::cache_server
