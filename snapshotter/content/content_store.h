// SPDX-License-Identifier: Apache-2.0
// ContentStore: blobs by digest (manifests, configs, layer blobs). A blob is verified while it is
// written and appears under its name only when complete, so a reader sees all of it or nothing,
// also after kill -9 and after a power cut (README.md, "Commit"). All calls are idempotent.
// Thread-safe, and safe between processes that share the directory.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mybuild::snapshotter {

struct BlobInfo {
  Digest digest;
  std::uint64_t size = 0;
  std::int64_t last_used = 0;  // by any process, in seconds since the epoch; walk() fills it in
};

/// What the writer promises; commit() fails with DataLoss when the bytes differ, write() when they
/// are too many.
struct Expected {
  std::optional<Digest> digest;
  std::optional<std::uint64_t> size;
};

/// One blob being written. The destructor throws the draft away unless commit() succeeded.
/// Thread-compatible.
class Ingest : public Sink {
 public:
  /// Reads what was written so far, from its start, beside the writer and after commit(). Nothing
  /// of it is verified before commit() has succeeded.
  virtual Result<Fd> reader() = 0;
  /// For who learns only with the last bytes what they should be: as Expected::digest.
  virtual void expect(const Digest& digest) = 0;
  /// Another writer having committed the same bytes meanwhile is success.
  virtual Result<BlobInfo> commit() && = 0;
};

class ContentStore {
 public:
  virtual ~ContentStore() = default;
  /// Opened for reading at offset 0; NotFound when it is not there. The first call for a blob that
  /// was written before the machine started, or that somebody wrote into, hashes it.
  virtual Result<Fd> open(const Digest& digest) = 0;
  virtual Result<std::unique_ptr<Ingest>> begin(Expected expected) = 0;
  /// nullopt when it is not there. A blob that was seen, opened or written through this object is
  /// in use (base/leases.h) until the object goes.
  virtual Result<std::optional<BlobInfo>> stat(const Digest& digest) = 0;
  /// Whoever uses it or not; a missing blob is success. Open descriptors stay readable.
  virtual Status remove(const Digest& digest) = 0;
  /// False when somebody uses it, this object included.
  virtual Result<bool> remove_unused(const Digest& digest) = 0;
  /// All blobs by name, sorted; nothing is verified or used. Those that come or go meanwhile may be
  /// missed.
  virtual Status walk(const std::function<Status(const BlobInfo&)>& visit) = 0;

  /// Reads all of it, whatever was known; false when it is there and its bytes are others.
  virtual Result<bool> verify(const Digest& digest) = 0;
  /// How many damaged blobs this object has found and removed.
  virtual std::size_t damage_found() const = 0;

  /// The whole blob, digest checked; for manifests and configs.
  Result<std::string> read(const Digest& digest, std::size_t limit = 16 << 20);
  Result<BlobInfo> put(std::string_view bytes);
};

}  // namespace mybuild::snapshotter
