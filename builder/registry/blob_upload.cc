// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/blob_upload.h"

#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/upload_place.h"
#include "builder/registry/url.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;
constexpr std::uint64_t kFirstPiece = 32 << 20;
/// Below what nginx takes by default (1 MiB).
constexpr std::uint64_t kLeastPiece = 256 << 10;
/// A smaller blob is sent again sooner than asked for.
constexpr std::uint64_t kWorthResuming = 1 << 20;
constexpr int kTooLarge = 413;
constexpr int kNoSuchUpload = 404;
constexpr int kMostRestarts = 5;

/// The front of a source.
class Piece final : public Source {
 public:
  Piece(std::unique_ptr<Source> source, std::uint64_t size)
      : source_(std::move(source)), left_(size) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
    const std::size_t count = TRY(source_->read(buffer.first(wanted)));
    left_ -= count;
    return count;
  }

 private:
  std::unique_ptr<Source> source_;
  std::uint64_t left_;
};

Result<std::unique_ptr<Source>> open_piece(const BlobUpload& upload, std::uint64_t offset,
                                           std::uint64_t size) {
  std::unique_ptr<Source> source = TRY(upload.open(offset));
  return std::unique_ptr<Source>(std::make_unique<Piece>(std::move(source), size));
}

}  // namespace

Result<Response> UploadSession::attempt(const Cancel& cancel) {
  progress_ = 0;
  was_unused_ = std::exchange(is_unused_, false);
  if (!location_.empty() && !was_unused_) {
    TRY(find_what_is_there(cancel));
  }
  went_on_ = offset_ > 0;
  if (location_.empty()) {
    const Response begun = TRY(begin(cancel));
    if (begun.status != 202) {
      return begun;
    }
  }
  return piece_ == 0 && offset_ == 0 ? send_whole(cancel) : send_pieces(cancel);
}

bool UploadSession::can_adapt(const Result<Response>& ended) {
  const bool in_session = !location_.empty();
  if (!may_go_on_ || upload_.blob.size < kWorthResuming) {
    forget();
  }
  if (!ended) {
    return false;
  }
  if (ended->status == kTooLarge) {
    return use_smaller_pieces();
  }
  const bool refused = ended->status >= 400 && !worth_retrying(ended->status);
  // Begun long ago, maybe, and registries have many ways to say that they have forgotten it.
  if (refused && was_unused_) {
    forget();
    return true;
  }
  if (refused && went_on_) {
    may_go_on_ = false;
    forget();
    return true;
  }
  // libcurl sends a request again whose kept connection broke: into a session that has a part of
  // it.
  if (ended->status == kNoSuchUpload && in_session && restarts_ < kMostRestarts) {
    ++restarts_;
    forget();
    return true;
  }
  return false;
}

bool UploadSession::use_smaller_pieces() {
  const std::uint64_t last = piece_ == 0 ? upload_.blob.size - offset_ : piece_;
  const std::uint64_t next = piece_ == 0 ? std::min(kFirstPiece, last / 2) : last / 4;
  if (next < std::max(kLeastPiece, least_piece_)) {
    return false;
  }
  piece_ = next;
  return true;
}

void UploadSession::forget() {
  location_.clear();
  offset_ = 0;
}

/// Where it cannot be told, the session begins anew.
Status UploadSession::find_what_is_there(const Cancel& cancel) {
  Request ask;
  ask.url = location_;
  ask.follow_redirects = false;
  const Response answer = TRY(send(ask, cancel));
  const std::optional<std::uint64_t> there = bytes_there(answer);
  if (answer.status != 204 || !there || *there > upload_.blob.size) {
    forget();
    return {};
  }
  location_ = TRY(next_place(ask.url, answer, location_));
  offset_ = *there;
  progress_ = offset_ > furthest_ ? offset_ - furthest_ : 0;
  furthest_ = std::max(furthest_, offset_);
  return {};
}

Result<Response> UploadSession::begin(const Cancel& cancel) {
  const Endpoint settled = TRY(channel_.settled(endpoint_, cancel));
  const Request request = begin_upload(settled);
  Response begun = TRY(send(request, cancel));
  if (begun.status == 202) {
    location_ = TRY(next_place(request.url, begun, location_));
    least_piece_ = number(begun.header("oci-chunk-min-length")).value_or(0);
  }
  return begun;
}

Result<Response> UploadSession::send_whole(const Cancel& cancel) {
  const std::string url = with_query(location_, "digest", upload_.blob.digest.str());
  return send(part("PUT", url, upload_.blob.size), cancel);
}

Result<Response> UploadSession::send_pieces(const Cancel& cancel) {
  while (offset_ < upload_.blob.size) {
    const std::uint64_t left = upload_.blob.size - offset_;
    const std::uint64_t count = piece_ == 0 ? left : std::min(piece_, left);
    Request patch = part("PATCH", location_, count);
    patch.headers.push_back(fmt::format("Content-Range: {}-{}", offset_, offset_ + count - 1));
    Response taken = TRY(send(patch, cancel));
    if (!taken.ok()) {
      return taken;
    }
    if (bytes_there(taken).value_or(offset_ + count) != offset_ + count) {
      return make_error(ErrorKind::Unavailable, "the registry took {} of {} bytes",
                        bytes_there(taken).value_or(0), offset_ + count);
    }
    location_ = TRY(next_place(patch.url, taken, location_));
    offset_ += count;
  }
  Request end = part("PUT", with_query(location_, "digest", upload_.blob.digest.str()), 0);
  end.stream.reset();
  return send(end, cancel);
}

Request UploadSession::part(std::string method, std::string url, std::uint64_t size) const {
  Request request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.headers = {"Content-Type: application/octet-stream"};
  request.follow_redirects = false;
  request.stream = BodyStream{
      .open = [upload = upload_, at = offset_, size] { return open_piece(upload, at, size); },
      .size = size};
  return request;
}

Result<Response> UploadSession::send(const Request& request, const Cancel& cancel) {
  TextBody body(kMaxAnswer);
  return channel_.send(request, endpoint_, push_scope(endpoint_), body, cancel);
}

}  // namespace mybuild::registry
