// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/streamed_upload.h"

#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/stored.h"
#include "builder/registry/upload_place.h"
#include "builder/registry/url.h"

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;

}  // namespace

Status StreamedUpload::send(const BlobStream& stream, const Cancel& stop) {
  TRY(begin(stop));
  TRY(send_bytes(stream, stop));
  const oci::Descriptor blob = TRY(stream.blob());
  if (taken_.value_or(blob.size) != blob.size) {
    return make_error(ErrorKind::Unavailable, "the registry took {} of {} bytes", *taken_,
                      blob.size);
  }
  return end(blob, stop);
}

Status StreamedUpload::begin(const Cancel& stop) {
  location_ = TRY(begin_session(channel_, endpoint_, stop))
  .location;
  return {};
}

Status StreamedUpload::send_bytes(const BlobStream& stream, const Cancel& stop) {
  Request patch;
  patch.method = "PATCH";
  patch.url = location_;
  patch.headers = {"Content-Type: application/octet-stream"};
  patch.follow_redirects = false;
  patch.stream = BodyStream{.open = stream.open, .size = std::nullopt};
  const Response answer = TRY(ask(patch, stop));
  if (!answer.ok()) {
    return status_error(answer, "send a blob as it is made");
  }
  taken_ = bytes_there(answer);
  location_ = TRY(next_place(patch.url, answer, location_));
  return {};
}

Status StreamedUpload::end(const oci::Descriptor& blob, const Cancel& stop) {
  Request put;
  put.method = "PUT";
  put.url = with_query(location_, "digest", blob.digest.str());
  put.headers = {"Content-Type: application/octet-stream"};
  put.follow_redirects = false;
  const Response answer = TRY(ask(put, stop));
  return answer.ok() ? check_stored(answer, blob.digest)
                     : Status(status_error(answer, "end the upload of " + blob.digest.str()));
}

void StreamedUpload::drop(const Cancel& cancel) {
  if (!location_.empty()) {
    forget_session(channel_, endpoint_, location_, cancel);
  }
}

Result<Response> StreamedUpload::ask(const Request& request, const Cancel& cancel) {
  TextBody body(kMaxAnswer);
  return channel_.send(request, endpoint_, push_scope(endpoint_), body, cancel);
}

}  // namespace mybuild::registry
