// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_download.h"

#include "builder/registry/backoff.h"
#include "builder/registry/errors.h"
#include "builder/source/http_status.h"
#include "snapshotter/base/log.h"

namespace mybuild::source {

namespace {

using registry::Response;

constexpr int kAttempts = 3;
constexpr int kNotModified = 304;
constexpr int kRangeNotSatisfiable = 416;
/// A resumed download that came so much further starts counting its failures again.
constexpr std::uint64_t kProgress = 1 << 20;

}  // namespace

Result<HttpAnswer> HttpDownload::run(const Cancel& cancel) {
  for (;;) {
    const Result<Response> response = transport_.send(next_request(), body_, cancel);
    if (is_unchanged(response)) {
      HttpAnswer same;
      same.is_unchanged = true;
      return same;
    }
    if (body_.refusal()) {
      return Error(*body_.refusal()).context("GET " + question_.address.shown);
    }
    if (response && response->ok()) {
      HttpAnswer answer;
      answer.blob = TRY(body_.commit().context("GET " + question_.address.shown));
      answer.etag = body_.etag();
      answer.last_modified = body_.last_modified();
      return answer;
    }
    TRY(prepare_next(response, cancel));
  }
}

registry::Request HttpDownload::next_request() const {
  registry::Request request;
  request.url = question_.address.url;
  request.stall = limits_.stall;
  request.patience.reset();  // BuildKit has none; a slow mirror is no reason to fail
  // What Go's client says, whose answers BuildKit stores: servers may tag each encoding by itself.
  request.headers.emplace_back("Accept-Encoding: gzip");
  if (!question_.authorization.empty()) {
    request.headers.push_back("Authorization: " + question_.authorization);
  }
  if (const std::string tag = body_.resume_tag(); !tag.empty()) {
    request.headers.push_back(fmt::format("Range: bytes={}-", body_.received()));
    request.headers.push_back("If-Range: " + tag);
  } else if (asks_conditionally_) {
    if (!question_.known_etag.empty()) {
      request.headers.push_back("If-None-Match: " + question_.known_etag);
    }
    if (!question_.known_since.empty()) {
      request.headers.push_back("If-Modified-Since: " + question_.known_since);
    }
  }
  return request;
}

bool HttpDownload::is_unchanged(const Result<Response>& response) {
  if (body_.is_known()) {
    return true;
  }
  const bool asked = !question_.known_etag.empty() || !question_.known_since.empty();
  if (!response || response->status != kNotModified || !asked || !asks_conditionally_) {
    return false;
  }
  const std::string tag = response->header("etag");
  if (tag.empty() || question_.known_etag.empty() || same_etag(tag, question_.known_etag)) {
    return true;
  }
  asks_conditionally_ = false;  // "not modified", and yet another file: it has to be fetched
  return false;
}

Status HttpDownload::prepare_next(const Result<Response>& response, const Cancel& cancel) {
  const int status = response ? response->status : 0;
  const bool starts_over = status == kRangeNotSatisfiable && !body_.resume_tag().empty();
  const bool asks_plainly = status == kNotModified && !asks_conditionally_ && failures_ == 0;
  const bool may_pass = response ? registry::worth_retrying(status) || starts_over || asks_plainly
                                 : response.error().kind() == ErrorKind::Unavailable;
  if (!body_.resume_tag().empty() && body_.received() >= mark_ + kProgress) {
    failures_ = 0;
    mark_ = body_.received();
  }
  if (!may_pass || ++failures_ >= kAttempts) {
    return failure(response);
  }
  if (starts_over) {
    body_.forget();
  }
  if (asks_plainly) {
    return {};
  }
  log::debug("{}; attempt {} follows", failure(response).message(), failures_ + 1);
  return registry::wait_or_cancel(
      registry::backoff_delay(failures_, response ? &*response : nullptr), cancel);
}

Error HttpDownload::failure(const Result<Response>& response) const {
  if (response) {
    return http_status_error(*response, question_.address, question_.credential);
  }
  Error error = response.error();
  if (error.kind() != ErrorKind::Unavailable || !body_.has_begun()) {
    return error;
  }
  return std::move(error).context(
      body_.length() ? fmt::format("the answer ends early, after {} of {} bytes", body_.received(),
                                   *body_.length())
                     : fmt::format("the answer ends early, after {} bytes", body_.received()));
}

}  // namespace mybuild::source
