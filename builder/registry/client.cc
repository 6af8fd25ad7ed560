// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/client.h"

#include "builder/registry/body.h"
#include "builder/registry/channel.h"
#include "builder/registry/errors.h"
#include "builder/registry/host_slots.h"
#include "builder/registry/tag_list.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::registry {

namespace {

/// distribution-spec, "Pushing Manifests": registries take 4 MiB at least, and few take more.
constexpr std::size_t kMaxManifest = 8 << 20;
/// Docker has 3, containerd 3 to 10: with fewer one slow layer holds up the rest, more are refused.
constexpr unsigned kTransfersPerHost = 6;
constexpr int kNoSuchMethod = 405;
/// Who asks what a tag is now knows what it was, and can go on with that.
constexpr std::chrono::seconds kPatienceForTags{8};

std::string accept_header() {
  return fmt::format("Accept: {}, {}, {}, {}", oci::kMediaTypeIndex, oci::kMediaTypeManifest,
                     oci::kDockerMediaTypeIndex, oci::kDockerMediaTypeManifest);
}

class Client final : public RegistryClient {
 public:
  Client(Transport& transport, RegistryAccess access) : channel_(transport, access) {}

  Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) override {
    return channel_.full_names(reference);
  }

  Result<ManifestDocument> manifest(const oci::Reference& reference,
                                    const Cancel& cancel) override {
    const auto places = TRY(channel_.endpoints(reference, purpose_of(reference), cancel));
    return first_answer<ManifestDocument>(places, cancel, [&](const Endpoint& place) {
      return manifest_of(place, reference, cancel);
    });
  }

  Result<Digest> current(const oci::Reference& reference, const Cancel& cancel) override {
    const auto places = TRY(channel_.endpoints(reference, purpose_of(reference), cancel));
    return first_answer<Digest>(places, cancel, [&](const Endpoint& place) -> Result<Digest> {
      const std::optional<Digest> said = TRY(digest_at(place, reference, cancel));
      if (said) {
        return *said;
      }
      const ManifestDocument document = TRY(manifest_of(place, reference, cancel));
      return document.digest;
    });
  }

  Result<std::vector<std::string>> tags(const oci::Reference& reference,
                                        const Cancel& cancel) override {
    const auto places = TRY(channel_.endpoints(reference, Purpose::PullByTag, cancel));
    oci::Reference repository = reference;
    repository.tag.clear();
    return first_answer<std::vector<std::string>>(places, cancel, [&](const Endpoint& place) {
      return list_tags(channel_, place, repository.familiar(), cancel);
    });
  }

  Status blob(const oci::Reference& reference, const oci::Descriptor& descriptor, Sink& sink,
              const Cancel& cancel) override {
    return stream(reference, descriptor, sink, DigestCheck::Here, cancel);
  }

  Status blob_to_store(const oci::Reference& reference, const oci::Descriptor& descriptor,
                       Sink& sink, const Cancel& cancel) override {
    return stream(reference, descriptor, sink, DigestCheck::BySink, cancel);
  }

 private:
  Status stream(const oci::Reference& reference, const oci::Descriptor& descriptor, Sink& sink,
                DigestCheck check, const Cancel& cancel) {
    const auto places = TRY(channel_.endpoints(reference, Purpose::Blob, cancel));
    const std::string what =
        fmt::format("blob {} of {}", descriptor.digest.str(), reference.familiar());
    // The next place goes on where the last one ended. Of several the one with wrong bytes is
    // named.
    BlobBody body(descriptor, sink, places.size() > 1 ? DigestCheck::Here : check);
    std::vector<std::string> problems;
    for (std::size_t i = 0;; ++i) {
      const Endpoint& place = places[i];
      const std::string from = place.mirror ? fmt::format("{} (from {})", what, place.api()) : what;
      const Status status = blob_of(place, descriptor, body, from, cancel);
      if (status || cancel.requested() || !body.can_go_on()) {
        return status;
      }
      TRY(go_on(status.error(), places, i, problems));
    }
  }

  static Purpose purpose_of(const oci::Reference& reference) {
    return reference.digest ? Purpose::PullByDigest : Purpose::PullByTag;
  }

  /// One place after the other, until one answers.
  template <class T, class Ask>
  Result<T> first_answer(const std::vector<Endpoint>& places, const Cancel& cancel,
                         const Ask& ask) {
    std::vector<std::string> problems;
    for (std::size_t i = 0;; ++i) {
      Result<T> answer = ask(places[i]);
      if (answer || cancel.requested()) {
        return answer;
      }
      TRY(go_on(answer.error(), places, i, problems));
    }
  }

  /// Whether there is another place to ask; if not, all that went wrong.
  Status go_on(const Error& error, const std::vector<Endpoint>& places, std::size_t tried,
               std::vector<std::string>& problems) {
    if (tried + 1 < places.size()) {
      channel_.note_failure(places[tried], error);
      problems.push_back(error.message());
      return {};
    }
    if (problems.empty()) {
      return error;
    }
    std::string text = error.message();
    for (const std::string& problem : problems) {
      text += fmt::format("; before that, its mirror: {}", problem);
    }
    return Error(error.kind(), text).with_hint(error.hint());
  }

  static Request manifest_request(const Endpoint& endpoint, const oci::Reference& reference) {
    Request request;
    request.url = endpoint.api() + "/manifests/" +
                  (reference.digest ? reference.digest->str() : reference.tag);
    request.headers = {accept_header()};
    return request;
  }

  Result<ManifestDocument> manifest_of(const Endpoint& endpoint, const oci::Reference& reference,
                                       const Cancel& cancel) {
    const std::string what = reference.familiar();
    const Request request = manifest_request(endpoint, reference);
    TextBody body(kMaxManifest);
    Attempts attempts(channel_, endpoint);
    for (;;) {
      const Result<Response> response =
          channel_.send(request, endpoint, pull_scope(endpoint), body, cancel);
      if (response && response->ok()) {
        TRY(expect_json(*response, request.url, body.text()).context(what));
        return check_manifest(reference, *response, body.text()).context(what);
      }
      TRY(attempts.retry(response, what, cancel));
    }
  }

  /// nullopt: the registry does not say it without the document.
  Result<std::optional<Digest>> digest_at(const Endpoint& endpoint, const oci::Reference& reference,
                                          const Cancel& cancel) {
    Request request = manifest_request(endpoint, reference);
    request.method = "HEAD";
    request.stall = kPatienceForTags;
    TextBody body(kMaxManifest);
    Attempts attempts(channel_, endpoint, kPatienceForTags);
    for (;;) {
      const Result<Response> response =
          channel_.send(request, endpoint, pull_scope(endpoint), body, cancel);
      if (response && response->ok()) {
        const Result<Digest> digest = Digest::parse(response->header("docker-content-digest"));
        return digest ? std::optional(*digest) : std::nullopt;
      }
      if (response && response->status == kNoSuchMethod) {
        return std::optional<Digest>();
      }
      TRY(attempts.retry(response, reference.familiar(), cancel));
    }
  }

  Status blob_of(const Endpoint& endpoint, const oci::Descriptor& descriptor, BlobBody& body,
                 const std::string& what, const Cancel& cancel) {
    const HostSlots::Slot slot = TRY(slots_.take(endpoint.origin, cancel));
    Attempts attempts(channel_, endpoint);
    std::uint64_t last_failure = body.received();
    for (;;) {
      const Result<Response> response =
          channel_.send(blob_request(endpoint, descriptor, body.received()), endpoint,
                        pull_scope(endpoint), body, cancel);
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
      if (body.received() > 0 && body.complete()) {
        return body.verify().context(what);  // only the end of the answer was lost
      }
      TRY(attempts.retry(refuse_short(response, body), what, cancel));
    }
  }

  static Request blob_request(const Endpoint& endpoint, const oci::Descriptor& descriptor,
                              std::uint64_t offset) {
    Request request;
    request.url = endpoint.api() + "/blobs/" + descriptor.digest.str();
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

  Channel channel_;
  HostSlots slots_{kTransfersPerHost};
};

}  // namespace

std::unique_ptr<RegistryClient> make_registry_client(Transport& transport, RegistryAccess access) {
  return std::make_unique<Client>(transport, access);
}

}  // namespace mybuild::registry
