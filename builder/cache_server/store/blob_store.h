// SPDX-License-Identifier: Apache-2.0
// BlobStore: the bytes of the server by digest, of all namespaces: layers, configs, manifests. Who
// may see which is MetaStore's business. A blob appears whole and verified or not at all, also
// after kill -9. Thread-safe. Every driver runs through tests/contract/blob_store_suite.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace mybuild::cache_server {

/// Thread-safe. A blob that is removed meanwhile can be read to its end.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `buffer` from `offset` on; fewer bytes only at the end.
  virtual Result<std::size_t> read(std::uint64_t offset, MutableByteSpan buffer) = 0;
  /// A file that holds exactly these bytes, for sendfile(2); -1 where there is none.
  virtual int file() const { return -1; }
};

/// One blob on its way in. The destructor throws it away unless commit() succeeded.
/// Thread-compatible.
class BlobWriter : public Sink {
 public:
  virtual std::uint64_t size() const = 0;  // so far
  /// On the disk when it returns. InvalidArgument when the bytes are not those of `digest`; nothing
  /// is kept then. Somebody else having brought the same bytes is success.
  virtual Status commit(const Digest& digest) && = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual Result<std::unique_ptr<BlobWriter>> begin() = 0;
  /// nullopt when it is not there.
  virtual Result<std::optional<std::uint64_t>> size(const Digest& digest) = 0;
  /// NotFound when it is not there, DataLoss when its bytes were found to be others: it is gone
  /// then.
  virtual Result<std::unique_ptr<BlobReader>> open(const Digest& digest) = 0;
  /// A missing one is success.
  virtual Status remove(const Digest& digest) = 0;
  /// All of them, in no order; those that come or go meanwhile may be missed.
  virtual Status walk(
      const std::function<Status(const Digest& digest, std::uint64_t size)>& visit) = 0;
};

}  // namespace mybuild::cache_server
