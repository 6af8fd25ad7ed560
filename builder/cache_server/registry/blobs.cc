// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/blobs.h"

#include "builder/cache_server/registry/answers.h"
#include "builder/cache_server/registry/byte_range.h"
#include "builder/cache_server/store/repository_tables.h"

#include <fmt/core.h>

namespace mybuild::cache_server {

namespace {

constexpr const char* kMediaType = "application/octet-stream";

std::string etag_of(const Digest& digest) {
  return fmt::format("\"{}\"", digest.str());
}

Answer described(int status, const Digest& digest, const std::string& media_type, BlobRange range) {
  Answer answer;
  answer.status = status;
  answer.with("Content-Type", media_type)
      .with("Docker-Content-Digest", digest.str())
      .with("ETag", etag_of(digest))
      .with("Accept-Ranges", "bytes");
  answer.body = std::move(range);
  return answer;
}

}  // namespace

bool is_gone(const Error& error) {
  return error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::DataLoss;
}

Answer blob_head(std::uint64_t size, const Digest& digest, const std::string& media_type) {
  return described(200, digest, media_type, {.blob = nullptr, .offset = 0, .size = size});
}

Answer blob_answer(const Request& request, std::unique_ptr<BlobReader> reader, const Digest& digest,
                   const std::string& media_type) {
  const std::uint64_t size = reader->size();
  const std::string condition = request.header("if-range");
  const bool is_meant = condition.empty() || condition == etag_of(digest);
  const WantedRange range = parse_range(is_meant ? request.header("range") : "", size);
  if (range.kind == RangeKind::Unsatisfiable) {
    Answer answer = error_answer(416, "SIZE_INVALID", "the blob has none of these bytes");
    answer.with("Content-Range", fmt::format("bytes */{}", size));
    return answer;
  }
  std::shared_ptr<BlobReader> blob = std::move(reader);
  if (range.kind == RangeKind::Whole) {
    return described(200, digest, media_type, {.blob = blob, .offset = 0, .size = size});
  }
  const auto [begin, end] = range.bytes;
  Answer answer =
      described(206, digest, media_type, {.blob = blob, .offset = begin, .size = end - begin});
  answer.with("Content-Range", fmt::format("bytes {}-{}/{}", begin, end - 1, size));
  return answer;
}

std::unique_ptr<Exchange> Blobs::begin(RepositoryRequest request) {
  const Result<Digest> digest = Digest::parse(request.reference);
  if (!digest) {
    return refuse_with(digest_invalid(digest.error()));
  }
  const bool is_removal = request.is("DELETE");
  if (!is_removal && !request.is("GET") && !request.is("HEAD")) {
    return refuse_with(unsupported_method("GET, HEAD, DELETE"));
  }
  return answer_with([this, request = std::move(request), digest = *digest, is_removal] {
    return answer_or_error(is_removal ? remove(request, digest) : show(request, digest));
  });
}

// Who asks whether there is one is about to name it; who reads one has it.
Result<Answer> Blobs::show(const RepositoryRequest& request, const Digest& digest) {
  RepositoryTables& tables = deps_.meta.repositories();
  const bool is_question = request.is("HEAD");
  const bool is_there =
      is_question ? TRY(tables.find_blob(request.lineage, digest, deps_.clock.now()))
  .has_value() : TRY(tables.has_blob(request.lineage, digest));
  if (!is_there) {
    return blob_unknown(digest);
  }
  if (is_question) {
    if (const auto size = TRY(deps_.blobs.size(digest))) {
      return blob_head(*size, digest, kMediaType);
    }
  }
  auto reader = deps_.keeper.open(digest);
  if (!reader) {
    return is_gone(reader.error()) ? Result<Answer>(blob_unknown(digest)) : reader.error();
  }
  return blob_answer(request.request, std::move(*reader), digest, kMediaType);
}

Result<Answer> Blobs::remove(const RepositoryRequest& request, const Digest& digest) {
  const Result<bool> removed = deps_.keeper.drop(request.space, digest);
  if (!removed) {
    return removed.error().kind() == ErrorKind::Denied
               ? Result<Answer>(still_needed(removed.error()))
               : removed.error();
  }
  return *removed ? plain_answer(202) : blob_unknown(digest);
}

}  // namespace mybuild::cache_server
