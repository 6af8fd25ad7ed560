// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/push.h"

#include "builder/registry/blob_upload.h"
#include "builder/registry/body.h"
#include "builder/registry/channel.h"
#include "builder/registry/errors.h"
#include "builder/registry/host_slots.h"
#include "builder/registry/stored.h"
#include "builder/registry/streamed_upload.h"
#include "builder/registry/upload_place.h"
#include "builder/registry/url.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;
/// As many uploads as docker's daemon has by default.
constexpr unsigned kTransfersPerHost = 5;
std::string blob_name(const oci::Reference& target, const oci::Descriptor& blob) {
  oci::Reference repository = target;
  repository.tag.clear();
  repository.digest = blob.digest;
  return "push " + repository.familiar();
}

std::string manifest_url(const Endpoint& endpoint, const std::string& id) {
  return endpoint.api() + "/manifests/" + id;
}

class Push final : public RegistryPush {
 public:
  Push(Transport& transport, RegistryAccess access) : channel_(transport, access) {}

  Result<Delivery> blob(const oci::Reference& target, const BlobUpload& upload,
                        const Cancel& cancel) override {
    const std::string what = blob_name(target, upload.blob);
    const Endpoint endpoint = TRY(place_of(target, cancel));
    if (!upload.ask_first) {
      TRY(send(endpoint, upload, what, cancel));
      return Delivery::Sent;
    }
    if (TRY(has_blob(endpoint, upload.blob, what, cancel))) {
      return Delivery::AlreadyThere;
    }
    // Where repositories are called otherwise than in names, the other one's name is not known.
    const bool same_names = endpoint.repository == target.repository;
    if (same_names && !upload.mount_from.empty() && TRY(mount(endpoint, upload, cancel))) {
      return Delivery::Mounted;
    }
    if (!upload.open) {
      return not_found("{}: the registry does not have the blob", what);
    }
    TRY(send(endpoint, upload, what, cancel));
    return Delivery::Sent;
  }

  Result<BegunUpload> begin(const oci::Reference& target, const Cancel& cancel) override {
    return begin_session(channel_, TRY(place_of(target, cancel)), cancel);
  }

  void forget(const oci::Reference& target, const BegunUpload& begun,
              const Cancel& cancel) override {
    if (const Result<Endpoint> endpoint = place_of(target, cancel)) {
      forget_session(channel_, *endpoint, begun.location, cancel);
    }
  }

  Status stream(const oci::Reference& target, const BlobStream& stream, const Cancel& stop,
                const Cancel& cancel) override {
    const Endpoint endpoint = TRY(place_of(target, stop));
    const HostSlots::Slot slot = TRY(slots_.take(endpoint.origin, stop));
    StreamedUpload upload(channel_, endpoint);
    Status sent = upload.send(stream, stop);
    if (!sent) {
      upload.drop(cancel);
    }
    return sent;
  }

  Status manifest(const oci::Reference& target, const oci::Descriptor& descriptor,
                  const std::string& bytes, const Cancel& cancel) override {
    const std::string id = target.tag.empty() ? descriptor.digest.str() : target.tag;
    const std::string what = "push " + target.familiar();
    const Endpoint endpoint = TRY(place_of(target, cancel));
    Request request;
    request.method = "PUT";
    request.url = manifest_url(endpoint, id);
    request.headers = {"Content-Type: " + descriptor.media_type};
    request.body = bytes;
    request.follow_redirects = false;
    TextBody body(kMaxAnswer);
    Attempts attempts(channel_, endpoint);
    for (;;) {
      const Result<Response> response =
          channel_.send(request, endpoint, push_scope(endpoint), body, cancel);
      if (response && response->ok()) {
        return check_stored(*response, descriptor.digest).context(what);
      }
      TRY(attempts.retry(response, what, cancel));
    }
  }

  Result<std::optional<Digest>> current(const oci::Reference& target,
                                        const Cancel& cancel) override {
    const std::string what = "look for " + target.familiar();
    const Endpoint endpoint = TRY(place_of(target, cancel));
    Request request;
    request.method = "HEAD";
    request.url = manifest_url(endpoint, target.tag);
    request.headers = {
        fmt::format("Accept: {}, {}", oci::kMediaTypeIndex, oci::kMediaTypeManifest)};
    const Response response = TRY(head(request, endpoint, what, cancel));
    const Result<Digest> digest = stored_digest(response);
    return response.ok() && digest ? std::optional(*digest) : std::nullopt;
  }

 private:
  /// Pushes go to the registry itself, never to a mirror.
  Result<Endpoint> place_of(const oci::Reference& target, const Cancel& cancel) {
    std::vector<Endpoint> places = TRY(channel_.endpoints(target, Purpose::Push, cancel));
    return std::move(places.back());
  }

  /// Until the registry says yes or no.
  Result<Response> head(const Request& request, const Endpoint& endpoint, const std::string& what,
                        const Cancel& cancel) {
    TextBody body(kMaxAnswer);
    Attempts attempts(channel_, endpoint);
    for (;;) {
      Result<Response> response =
          channel_.send(request, endpoint, push_scope(endpoint), body, cancel);
      if (response && (response->ok() || response->status == 404)) {
        return response;
      }
      TRY(attempts.retry(response, what, cancel));
    }
  }

  Result<bool> has_blob(const Endpoint& endpoint, const oci::Descriptor& blob,
                        const std::string& what, const Cancel& cancel) {
    Request request;
    request.method = "HEAD";
    request.url = endpoint.api() + "/blobs/" + blob.digest.str();
    const Response response = TRY(head(request, endpoint, what, cancel));
    return response.ok();
  }

  /// Mounting only saves bytes: whatever a registry has against it, the blob can still be sent.
  Result<bool> mount(const Endpoint& endpoint, const BlobUpload& upload, const Cancel& cancel) {
    Request request = begin_upload(endpoint);
    request.url = with_query(std::move(request.url), "mount", upload.blob.digest.str());
    request.url = with_query(std::move(request.url), "from", upload.mount_from);
    TextBody body(kMaxAnswer);
    const Result<Response> response =
        channel_.send(request, endpoint, push_scope(endpoint, upload.mount_from), body, cancel);
    TRY(cancel.check());
    return response && response->status == 201 &&
           check_stored(*response, upload.blob.digest).has_value();
  }

  Status send(const Endpoint& endpoint, const BlobUpload& upload, const std::string& what,
              const Cancel& cancel) {
    const HostSlots::Slot slot = TRY(slots_.take(endpoint.origin, cancel));
    UploadSession session(channel_, endpoint, upload);
    Attempts attempts(channel_, endpoint);
    for (;;) {
      const Result<Response> response = session.attempt(cancel);
      if (response && response->ok()) {
        return check_stored(*response, upload.blob.digest).context(what);
      }
      if (session.can_adapt(response)) {
        continue;
      }
      if (session.progress() >= kWorthwhileProgress) {
        attempts.start_over();
      }
      TRY(attempts.retry(response, what, cancel));
    }
  }

  Channel channel_;
  HostSlots slots_{kTransfersPerHost};
};

}  // namespace

std::unique_ptr<RegistryPush> make_registry_push(Transport& transport, RegistryAccess access) {
  return std::make_unique<Push>(transport, access);
}

}  // namespace mybuild::registry
