// SPDX-License-Identifier: Apache-2.0
// Many small layers in one answer, so that a client far away needs one round trip for all of them.
#include "builder/cache_server/records/verbs.h"
#include "builder/cache_server/store/repository_tables.h"

#include <deque>

namespace mybuild::cache_server {

namespace {

/// nullopt where it is not linked in one of the namespaces, has no bytes any more, or more than
/// `room`.
Result<std::optional<std::string>> read_blob(const Ask& ask, const Digest& digest,
                                             std::size_t room) {
  using Bytes = std::optional<std::string>;
  if (!TRY(ask.deps.meta.repositories().has_blob(ask.lineage.spaces, digest))) {
    return Bytes();
  }
  const Result<std::unique_ptr<BlobReader>> blob = ask.deps.keeper.open(digest);
  if (!blob || (*blob)->size() > room) {
    return Bytes();
  }
  std::string bytes(static_cast<std::size_t>((*blob)->size()), '\0');
  const std::size_t got =
      TRY((*blob)->read(0, std::as_writable_bytes(std::span(bytes.data(), bytes.size()))));
  return got == bytes.size() ? Bytes(std::move(bytes)) : Bytes();
}

}  // namespace

Result<Outcome> serve_blobs(const Ask& ask) {
  const BlobsRequest request = TRY(parse_blobs_request(ask.body));
  std::deque<std::string> bytes;  // whose elements stay where they are
  BlobsAnswer answer;
  std::size_t left = kMaxBlobsBytes;
  for (const Digest& digest : request.blobs) {
    std::optional<std::string> blob = TRY(read_blob(ask, digest, std::min(left, kMaxSmallBlob)));
    answer.emplace_back(std::nullopt);
    if (blob) {
      left -= blob->size();
      answer.back() = bytes.emplace_back(std::move(*blob));
    }
  }
  return Answer{.status = 200,
                .headers = {{"Content-Type", "application/octet-stream"}},
                .body = dump(answer),
                .note = {}};
}

}  // namespace mybuild::cache_server
