// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/channel.h"

#include "builder/registry/backoff.h"
#include "builder/registry/errors.h"
#include "builder/registry/url.h"
#include "snapshotter/base/log.h"

namespace mybuild::registry {

namespace {

constexpr int kAttempts = 3;

std::string api_host(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

}  // namespace

std::string repository_url(const oci::Reference& reference) {
  const std::string host = api_host(reference.domain);
  const char* const scheme = oci::is_loopback(host) ? "http" : "https";
  return fmt::format("{}://{}/v2/{}", scheme, host, reference.repository);
}

std::string pull_scope(const oci::Reference& reference) {
  return "repository:" + reference.repository + ":pull";
}

std::string push_scope(const oci::Reference& reference, const std::string& other) {
  const std::string own = "repository:" + reference.repository + ":pull,push";
  return other.empty() ? own : own + " repository:" + other + ":pull";
}

Result<Response> Channel::send(Request request, const oci::Reference& reference,
                               const std::string& scope, BodySink& body, const Cancel& cancel) {
  if (origin_of(request.url) != origin_of(repository_url(reference))) {
    return transport_.send(request, body, cancel);
  }
  const std::string host = api_host(reference.domain);
  const std::vector<std::string> plain_headers = request.headers;
  if (const std::string token = tokens_.find(host, scope); !token.empty()) {
    request.headers.push_back("Authorization: Bearer " + token);
  }
  Response response = TRY(transport_.send(request, body, cancel));
  if (response.status != 401) {
    return response;
  }
  tokens_.forget(host, scope);
  const std::string token = TRY(tokens_.fetch(host, scope, response, cancel));
  request.headers = plain_headers;
  request.headers.push_back("Authorization: Bearer " + token);
  return transport_.send(request, body, cancel);
}

Status Attempts::retry(const Result<Response>& response, std::string_view what,
                       const Cancel& cancel) {
  if (!response) {
    Error error = Error(response.error()).context(what);
    if (error.kind() != ErrorKind::Unavailable) {
      return error;
    }
    return next(std::move(error), nullptr, cancel);
  }
  Error error = status_error(*response, what);
  if (!worth_retrying(response->status)) {
    return error;
  }
  return next(std::move(error), &*response, cancel);
}

Status Attempts::next(Error error, const Response* answer, const Cancel& cancel) {
  if (++failures_ >= kAttempts) {
    return error;
  }
  log::debug("{}; attempt {} follows", error.message(), failures_ + 1);
  return wait_or_cancel(backoff_delay(failures_, answer), cancel);
}

}  // namespace mybuild::registry
