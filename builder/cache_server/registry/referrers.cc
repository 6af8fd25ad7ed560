// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/referrers.h"

#include "builder/cache_server/registry/answers.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <fmt/core.h>

namespace mybuild::cache_server {

namespace {

// The spec wants no index larger than a manifest may be (4 MiB); the annotations of a single one
// may be nearly that.
constexpr std::size_t kMaxPageBytes = 2 << 20;
constexpr std::size_t kLooksAtOnce = 16;

Json descriptor_of(const ManifestRow& row) {
  Json descriptor = {
      {"mediaType", row.media_type}, {"digest", row.digest.str()}, {"size", row.size}};
  if (!row.artifact_type.empty()) {
    descriptor["artifactType"] = row.artifact_type;
  }
  if (!row.annotations.empty()) {
    descriptor["annotations"] = row.annotations;
  }
  return descriptor;
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '/';
    encoded += is_plain
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return encoded;
}

}  // namespace

std::unique_ptr<Exchange> Referrers::begin(RepositoryRequest request) {
  if (!request.is("GET") && !request.is("HEAD")) {
    return refuse_with(unsupported_method("GET"));
  }
  const Result<Digest> subject = Digest::parse(request.reference);
  if (!subject) {
    return refuse_with(digest_invalid(subject.error()));
  }
  Digest last;
  if (const std::string text = request.request.parameter("last"); !text.empty()) {
    const Result<Digest> digest = Digest::parse(text);
    if (!digest) {
      return refuse_with(digest_invalid(digest.error()));
    }
    last = *digest;
  }
  return answer_with([this, request = std::move(request), subject = *subject, last]() -> Outcome {
    return answer_or_error(list(request, subject, last));
  });
}

Result<Answer> Referrers::list(const RepositoryRequest& request, const Digest& subject,
                               Digest last) {
  const std::string type = request.request.parameter("artifactType");
  Json manifests = Json::array();
  std::size_t bytes = 0;
  bool has_more = true;
  while (has_more && bytes < kMaxPageBytes) {
    const auto rows = TRY(
        deps_.meta.repositories().referrers(request.repository, subject, type, last, kLooksAtOnce));
    has_more = rows.size() == kLooksAtOnce;
    for (auto row = rows.begin(); row != rows.end(); ++row) {
      Json descriptor = descriptor_of(*row);
      bytes += canonical_dump(descriptor).size();
      manifests.push_back(std::move(descriptor));
      last = row->digest;
      if (bytes >= kMaxPageBytes) {
        has_more = has_more || row + 1 != rows.end();
        break;
      }
    }
  }
  const Json index = {{"schemaVersion", 2},
                      {"mediaType", oci::kMediaTypeIndex},
                      {"manifests", std::move(manifests)}};
  Answer answer;
  answer.with("Content-Type", std::string(oci::kMediaTypeIndex));
  answer.body = canonical_dump(index);
  if (!type.empty()) {
    answer.with("OCI-Filters-Applied", "artifactType");
  }
  if (has_more) {
    const std::string filter = type.empty() ? "" : "&artifactType=" + percent_encoded(type);
    answer.with("Link", next_link(fmt::format("/v2/{}/referrers/{}?last={}{}", request.repository,
                                              subject.str(), last.str(), filter)));
  }
  return answer;
}

}  // namespace mybuild::cache_server
