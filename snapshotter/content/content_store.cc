// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/content/content_store.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

namespace mybuild::snapshotter {

Result<std::string> ContentStore::read(const Digest& digest, std::size_t limit) {
  Fd fd = TRY(open(digest));
  FileSource source(std::move(fd));
  std::string bytes = TRY(read_all(source, limit).context(digest.str()));
  if (Digest::of(bytes) != digest) {
    return data_loss("stored bytes of {} have another digest", digest.str());
  }
  return bytes;
}

Result<BlobInfo> ContentStore::put(std::string_view bytes) {
  const std::unique_ptr<Ingest> ingest = TRY(begin({.digest = std::nullopt, .size = bytes.size()}));
  TRY(ingest->write(as_bytes(bytes)));
  return std::move(*ingest).commit();
}

}  // namespace mybuild::snapshotter
