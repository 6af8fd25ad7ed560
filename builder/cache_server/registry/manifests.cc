// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/manifests.h"

#include "builder/cache_server/protocol/names.h"
#include "builder/cache_server/registry/answers.h"
#include "builder/cache_server/registry/blobs.h"
#include "builder/cache_server/store/repository_tables.h"

#include <fmt/core.h>

namespace mybuild::cache_server {

namespace {

bool is_digest(const std::string& reference) {
  return reference.find(':') != std::string::npos;
}

/// nullopt when a manifest may be put there.
std::optional<Answer> refused_reference(const std::string& reference) {
  if (is_digest(reference)) {
    const Result<Digest> digest = Digest::parse(reference);
    return digest ? std::nullopt : std::optional(digest_invalid(digest.error()));
  }
  if (!is_tag_name(reference)) {
    return error_answer(400, "TAG_INVALID", fmt::format("\"{}\" is no tag", reference));
  }
  return std::nullopt;
}

ManifestRow row_of(const RepositoryRequest& request, const ManifestDocument& document,
                   const std::string& body) {
  return {.repository = request.repository,
          .space = request.space,
          .digest = Digest::of(body),
          .media_type = document.media_type,
          .size = body.size(),
          .subject = document.subject,
          .artifact_type = document.artifact_type,
          .annotations = document.annotations,
          .blobs = document.blobs,
          .manifests = document.manifests};
}

}  // namespace

std::unique_ptr<Exchange> Manifests::begin(RepositoryRequest request) {
  if (request.is("PUT")) {
    if (const auto refused = refused_reference(request.reference)) {
      return refuse_with(*refused);
    }
    const auto size = request.request.body_size;
    return gather(kMaxManifestBytes, size,
                  [this, request = std::move(request)](const std::string& body) -> Outcome {
                    return answer_or_error(put(request, body));
                  });
  }
  const bool is_removal = request.is("DELETE");
  if (!is_removal && !request.is("GET") && !request.is("HEAD")) {
    return refuse_with(unsupported_method("GET, HEAD, PUT, DELETE"));
  }
  if (const Result<Digest> digest = Digest::parse(request.reference);
      !digest && is_digest(request.reference)) {
    return refuse_with(digest_invalid(digest.error()));
  }
  return answer_with([this, request = std::move(request), is_removal]() -> Outcome {
    return answer_or_error(is_removal ? remove(request) : show(request));
  });
}

Result<std::optional<Digest>> Manifests::resolve(const RepositoryRequest& request) {
  if (is_digest(request.reference)) {
    return std::optional(TRY(Digest::parse(request.reference)));
  }
  return deps_.meta.repositories().find_tag(request.repository, request.reference);
}

Result<Answer> Manifests::show(const RepositoryRequest& request) {
  const std::optional<Digest> digest = TRY(resolve(request));
  if (!digest) {
    return manifest_unknown(request.reference);
  }
  const auto row = TRY(deps_.meta.repositories().find_manifest(request.repository, *digest));
  if (!row) {
    return manifest_unknown(request.reference);
  }
  auto reader = deps_.keeper.open(*digest);
  if (!reader) {
    return is_gone(reader.error()) ? Result<Answer>(manifest_unknown(request.reference))
                                   : reader.error();
  }
  return request.is("HEAD")
             ? blob_head(row->size, *digest, row->media_type)
             : blob_answer(request.request, std::move(*reader), *digest, row->media_type);
}

Result<Answer> Manifests::remove(const RepositoryRequest& request) {
  RepositoryTables& tables = deps_.meta.repositories();
  const Result<bool> removed =
      is_digest(request.reference)
          ? tables.remove_manifest(request.repository, TRY(Digest::parse(request.reference)))
          : tables.remove_tag(request.repository, request.reference);
  if (!removed) {
    return removed.error().kind() == ErrorKind::Denied
               ? Result<Answer>(still_needed(removed.error()))
               : removed.error();
  }
  return *removed ? plain_answer(202) : manifest_unknown(request.reference);
}

Result<Answer> Manifests::put(const RepositoryRequest& request, const std::string& body) {
  if (is_digest(request.reference) && Digest::of(body) != TRY(Digest::parse(request.reference))) {
    return digest_invalid(invalid_argument("the manifest has the digest {}, not {}",
                                           Digest::of(body).str(), request.reference));
  }
  const auto document = read_manifest_document(body, request.request.header("content-type"));
  if (!document) {
    const std::string& hint = document.error().hint();
    return manifest_invalid(document.error().message() + (hint.empty() ? "" : "; " + hint));
  }
  return keep(request, *document, body);
}

Result<std::optional<Digest>> Manifests::link_blobs(const RepositoryRequest& request,
                                                    const std::vector<Digest>& blobs) {
  for (const Digest& blob : blobs) {
    if (!TRY(deps_.keeper.share(request.lineage, blob, request.space, deps_.clock.now()))) {
      return std::optional(blob);
    }
  }
  return std::optional<Digest>();
}

Result<Answer> Manifests::keep(const RepositoryRequest& request, const ManifestDocument& document,
                               const std::string& body) {
  ManifestRow row = row_of(request, document, body);
  if (const auto missing = TRY(link_blobs(request, row.blobs))) {
    return manifest_blob_unknown(fmt::format("blob {} is not there", missing->str()));
  }
  for (const Digest& layer : document.elsewhere) {
    if (!TRY(link_blobs(request, {layer}))) {
      row.blobs.push_back(layer);
    }
  }
  auto writer = TRY(deps_.blobs.begin());
  TRY(writer->write(as_bytes(body)));
  const Time now = deps_.clock.now();
  TRY(deps_.keeper.keep(std::move(writer), row.digest, request.space, now));
  const std::string tag = is_digest(request.reference) ? "" : request.reference;
  if (const Status put = deps_.meta.repositories().put_manifest(row, tag, now); !put) {
    return put.error().kind() == ErrorKind::NotFound
               ? Result<Answer>(manifest_blob_unknown(put.error().message()))
               : put.error();
  }
  Answer answer = created(manifest_address(request.repository, row.digest), row.digest);
  if (row.subject) {
    answer.with("OCI-Subject", row.subject->str());
  }
  return answer;
}

}  // namespace mybuild::cache_server
