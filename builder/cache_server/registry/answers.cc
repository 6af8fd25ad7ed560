// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/answers.h"

#include "snapshotter/base/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace mybuild::cache_server {

namespace {

constexpr int kTokenSeconds = 3'600;  // then the client asks again; the token itself may last

Answer challenge(std::string value) {
  Answer answer = error_answer(401, "UNAUTHORIZED", "a token of this cache server is needed");
  answer.with("WWW-Authenticate", std::move(value));
  answer.with("Docker-Distribution-API-Version", "registry/2.0");
  return answer;
}

/// It stands in a quoted string of a header.
bool is_plain_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view(".:-_[]%").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// A proxy that ends TLS says so: secrets are not to be sent past it.
bool is_secure(const Request& request) {
  return request.is_tls || request.header("x-forwarded-proto") == "https";
}

}  // namespace

Answer unauthorized() {
  return challenge("Basic realm=\"mybuild\"");
}

Answer unauthorized_anonymous(const Request& request) {
  if (!is_plain_host(request.host)) {
    return unauthorized();
  }
  return challenge(fmt::format("Bearer realm=\"{}://{}/v2/token\",service=\"mybuild\"",
                               is_secure(request) ? "https" : "http", request.host));
}

Answer token_answer(const Request& request) {
  const std::string token = request.caller.token_id == kAnonymous
                                ? std::string(kAnonymous)
                                : token_in(request.header("authorization"));
  Answer answer =
      json_answer(200, canonical_dump(Json{{"token", token}, {"expires_in", kTokenSeconds}}));
  answer.with("Cache-Control", "no-store");
  return answer;
}

Answer denied(std::string_view message) {
  return error_answer(403, "DENIED", message);
}

Answer still_needed(const Error& error) {
  return error_answer(405, "DENIED", error.message());
}

Answer name_invalid(std::string_view name) {
  return error_answer(400, "NAME_INVALID", fmt::format("\"{}\" is no repository name", name));
}

Answer name_unknown(std::string_view name) {
  return error_answer(404, "NAME_UNKNOWN", fmt::format("repository {} is not known", name));
}

Answer digest_invalid(const Error& error) {
  return error_answer(400, "DIGEST_INVALID", error.message());
}

Answer blob_unknown(const Digest& digest) {
  return error_answer(404, "BLOB_UNKNOWN", fmt::format("blob {} is not there", digest.str()));
}

Answer manifest_unknown(std::string_view reference) {
  return error_answer(404, "MANIFEST_UNKNOWN", fmt::format("manifest {} is not there", reference));
}

Answer manifest_invalid(std::string_view message) {
  return error_answer(400, "MANIFEST_INVALID", message);
}

Answer manifest_blob_unknown(std::string_view message) {
  return error_answer(404, "MANIFEST_BLOB_UNKNOWN", message);
}

Answer plain_answer(int status) {
  Answer answer;
  answer.status = status;
  return answer;
}

Answer created(const std::string& location, const Digest& digest) {
  Answer answer = plain_answer(201);
  answer.with("Location", location).with("Docker-Content-Digest", digest.str());
  return answer;
}

Answer answer_or_error(Result<Answer> answer) {
  return answer ? std::move(*answer) : error_answer(answer.error());
}

std::string blob_address(const std::string& repository, const Digest& digest) {
  return fmt::format("/v2/{}/blobs/{}", repository, digest.str());
}

std::string manifest_address(const std::string& repository, const Digest& digest) {
  return fmt::format("/v2/{}/manifests/{}", repository, digest.str());
}

std::string next_link(const std::string& next) {
  return fmt::format("<{}>; rel=\"next\"", next);
}

}  // namespace mybuild::cache_server
