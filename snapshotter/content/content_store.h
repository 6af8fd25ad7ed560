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
  /// Another writer having committed the same bytes meanwhile is success.
  virtual Result<BlobInfo> commit() && = 0;
};

class ContentStore {
 public:
  virtual ~ContentStore() = default;
  /// Opened for reading at offset 0; NotFound when it is not there. The first call for a blob that
  /// was written before the machine started hashes it.
  virtual Result<Fd> open(const Digest& digest) = 0;
  virtual Result<std::unique_ptr<Ingest>> begin(Expected expected) = 0;
  /// nullopt when it is not there. A blob that stat() has seen can be opened until somebody removes
  /// it.
  virtual Result<std::optional<BlobInfo>> stat(const Digest& digest) = 0;
  /// A missing blob is success. Open descriptors stay readable.
  virtual Status remove(const Digest& digest) = 0;
  /// All blobs by name, sorted; nothing is verified. Blobs that come or go meanwhile may be missed.
  virtual Status walk(const std::function<Status(const BlobInfo&)>& visit) = 0;

  /// The whole blob, digest checked; for manifests and configs.
  Result<std::string> read(const Digest& digest, std::size_t limit = 16 << 20);
  Result<BlobInfo> put(std::string_view bytes);
};

}  // namespace mybuild::snapshotter
