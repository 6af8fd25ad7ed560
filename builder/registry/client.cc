// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/client.h"

#include "builder/registry/auth.h"
#include "builder/registry/backoff.h"
#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "snapshotter/base/log.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxManifest = 16 << 20;
constexpr int kAttempts = 3;
/// A download that got so much further may fail as often again.
constexpr std::uint64_t kWorthwhileProgress = 1 << 20;

std::string api_host(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

std::string repository_url(const oci::Reference& reference) {
  const std::string host = api_host(reference.domain);
  const char* const scheme = oci::is_loopback(host) ? "http" : "https";
  return fmt::format("{}://{}/v2/{}", scheme, host, reference.repository);
}

std::string pull_scope(const oci::Reference& reference) {
  return "repository:" + reference.repository + ":pull";
}

std::string accept_header() {
  return fmt::format("Accept: {}, {}, {}, {}", oci::kMediaTypeIndex, oci::kMediaTypeManifest,
                     oci::kDockerMediaTypeIndex, oci::kDockerMediaTypeManifest);
}

/// Counts failures of one transfer and decides whether there is another attempt.
class Attempts {
 public:
  /// Waits before the next attempt; gives `error` back when there is none.
  Status next(Error error, const Response* answer, const Cancel& cancel) {
    if (++failures_ >= kAttempts) {
      return error;
    }
    log::debug("{}; attempt {} follows", error.message(), failures_ + 1);
    return wait_or_cancel(backoff_delay(failures_, answer), cancel);
  }
  void start_over() { failures_ = 0; }

 private:
  int failures_ = 0;
};

class Client final : public RegistryClient {
 public:
  explicit Client(Transport& transport) : transport_(transport), tokens_(transport) {}

  Result<ManifestDocument> manifest(const oci::Reference& reference,
                                    const Cancel& cancel) override {
    const std::string id = reference.digest ? reference.digest->str() : reference.tag;
    const std::string what = reference.familiar();
    Request request;
    request.url = repository_url(reference) + "/manifests/" + id;
    request.headers = {accept_header()};
    TextBody body(kMaxManifest);
    Attempts attempts;
    for (;;) {
      const Result<Response> response = authorized(request, reference, body, cancel);
      if (response && response->ok()) {
        return check_manifest(reference, *response, body.text()).context(what);
      }
      TRY(retry(response, what, attempts, cancel));
    }
  }

  Status blob(const oci::Reference& reference, const oci::Descriptor& descriptor, Sink& sink,
              const Cancel& cancel) override {
    const std::string what =
        fmt::format("blob {} of {}", descriptor.digest.str(), reference.familiar());
    BlobBody body(descriptor, sink);
    Attempts attempts;
    std::uint64_t last_failure = 0;
    for (;;) {
      const Result<Response> response =
          authorized(blob_request(reference, descriptor, body.received()), reference, body, cancel);
      if (body.refusal()) {
        return Error(*body.refusal()).context(what);
      }
      if (response && response->ok() && body.complete()) {
        return body.verify().context(what);
      }
      if (body.received() >= last_failure + kWorthwhileProgress) {
        attempts.start_over();
      }
      last_failure = body.received();
      TRY(retry(refuse_short(response, body), what, attempts, cancel));
      if (body.received() > 0 && body.complete()) {
        return body.verify().context(what);  // only the end of the answer was lost
      }
    }
  }

 private:
  static Request blob_request(const oci::Reference& reference, const oci::Descriptor& descriptor,
                              std::uint64_t offset) {
    Request request;
    request.url = repository_url(reference) + "/blobs/" + descriptor.digest.str();
    if (offset > 0) {
      request.headers = {fmt::format("Range: bytes={}-", offset)};
    }
    return request;
  }

  /// An answer that says 2xx and ends too early is a failure like a broken connection.
  static Result<Response> refuse_short(const Result<Response>& response, const BlobBody& body) {
    if (response && response->ok()) {
      return make_error(ErrorKind::Unavailable, "the answer ended after {} bytes", body.received());
    }
    return response;
  }

  /// Waits if the failure may pass; else returns it.
  static Status retry(const Result<Response>& response, const std::string& what, Attempts& attempts,
                      const Cancel& cancel) {
    if (!response) {
      Error error = Error(response.error()).context(what);
      if (error.kind() != ErrorKind::Unavailable) {
        return error;
      }
      return attempts.next(std::move(error), nullptr, cancel);
    }
    Error error = status_error(*response, what);
    if (!worth_retrying(response->status)) {
      return error;
    }
    return attempts.next(std::move(error), &*response, cancel);
  }

  /// Sends with the token we have; a 401 is answered once with a fresh one.
  Result<Response> authorized(Request request, const oci::Reference& reference, BodySink& body,
                              const Cancel& cancel) {
    const std::string host = api_host(reference.domain);
    const std::string scope = pull_scope(reference);
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

  static Result<ManifestDocument> check_manifest(const oci::Reference& reference,
                                                 const Response& response,
                                                 const std::string& bytes) {
    ManifestDocument document;
    document.digest = Digest::of(bytes);
    const Result<Digest> sent = Digest::parse(response.header("docker-content-digest"));
    if (reference.digest && *reference.digest != document.digest) {
      return data_loss("the registry sent another manifest, with digest {}", document.digest.str());
    }
    if (!reference.digest && sent && *sent != document.digest) {
      return data_loss("the manifest does not have the digest the registry says it has");
    }
    document.media_type = TRY(oci::document_media_type(bytes));
    document.bytes = bytes;
    return document;
  }

  Transport& transport_;
  TokenKeeper tokens_;
};

}  // namespace

std::unique_ptr<RegistryClient> make_registry_client(Transport& transport) {
  return std::make_unique<Client>(transport);
}

}  // namespace mybuild::registry
