// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/server_link.h"

#include "builder/cache_client/line_speed.h"
#include "builder/cache_server/protocol/messages.h"
#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/url.h"
#include "snapshotter/base/log.h"

#include <algorithm>
#include <cerrno>

namespace mybuild::cache_client {

namespace {

using registry::Request;
using registry::Response;
using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr int kMostFailures = 3;
constexpr Milliseconds kFirstPatience{2000};
constexpr Milliseconds kLeastPatience{1000};
constexpr int kUsualTimes = 20;
/// All steps together may wait so long, and so much of the build's time.
constexpr Milliseconds kFreeWait{2000};
constexpr int kShareOfBuild = 20;  // a twentieth
constexpr std::chrono::seconds kStall{5};
constexpr std::chrono::seconds kTransferPatience{10};
/// Of what steps wait for: without a byte, and on the whole.
constexpr std::chrono::seconds kLayerStall{3};
constexpr std::chrono::seconds kLayerPatience{5};
constexpr int kCreated = 201;
constexpr int kFull = 507;
/// Of a small blob, which the server has to write to its disk.
constexpr Milliseconds kUpload{10'000};
constexpr std::size_t kShortAnswer = 64 << 10;

Milliseconds since(Steady::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(Steady::now() - start);
}

bool is_redirect(const Response& response) {
  return response.status >= 300 && response.status < 400;
}

Error unexpected(const Response& response) {
  const std::string place = registry::printable(response.header("location"));
  return make_error(ErrorKind::Unavailable, "it answers with status {}{}", response.status,
                    is_redirect(response) && !place.empty()
                        ? fmt::format(", which points to {}; is that the right address?", place)
                        : "");
}

bool is_too_slow(const Result<Response>& response) {
  return !response && response.error().os_errno() == ETIMEDOUT;
}

}  // namespace

Request ServerLink::prepared(Request request) {
  request.stall = std::min(request.stall, kStall);
  request.patience = std::min(request.patience.value_or(kTransferPatience), kTransferPatience);
  if (registry::origin_of(request.url) != address_.origin) {
    return request;  // where a redirect leads: no token of ours
  }
  request.unix_socket = address_.socket;
  request.tls = deps_.tls;
  const auto token = token_.lock();
  if (!token->empty()) {
    request.headers.push_back("Authorization: Bearer " + *token);
  }
  return request;
}

Result<Response> ServerLink::send(const Request& request, registry::BodySink& body,
                                  const Cancel& cancel) {
  // No kind that is worth another attempt.
  if (is_closed()) {
    return not_found("the cache server is left alone");
  }
  Result<Response> response = deps_.transport.send(prepared(request), body, cancel);
  note(response, cancel);
  if (response && response->status == kFull) {
    return make_error(ErrorKind::Denied, "the cache server has no space left");
  }
  return response;
}

Milliseconds ServerLink::patience() const {
  if (!has_answered_) {
    return kFirstPatience;
  }
  return std::clamp(Milliseconds(usual_ms_ * kUsualTimes), kLeastPatience, kFirstPatience);
}

Milliseconds ServerLink::most_wait() const {
  return kFreeWait + since(start_) / kShareOfBuild;
}

bool ServerLink::may_ask() const {
  return !is_closed() && !is_slow() && waits_.total() + Milliseconds(usual_ms_) < most_wait();
}

Milliseconds ServerLink::time_of_build() const {
  return std::max(since(start_) - waits_.total(), Milliseconds(0));
}

void ServerLink::weigh(Milliseconds saved) {
  const Milliseconds waited = waits_.total();
  if (is_closed() || waited < most_wait() || waited < saved || slow_.exchange(true)) {
    return;
  }
  const auto seconds = [](Milliseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  deps_.events.on_event(solver::Warning{
      .message = fmt::format("steps do not wait any longer for the cache server {}: its answers "
                             "took {:.1f} s, and what it knows saves {:.1f} s",
                             address_.text, seconds(waited), seconds(saved)),
      .detail = {},
      .location = {}});
}

Result<std::string> ServerLink::post(std::string_view verb, const std::string& space,
                                     std::string message, Need need, const Cancel& cancel,
                                     Milliseconds extra) {
  if (is_closed()) {
    return not_found("the cache server is left alone");
  }
  Request request;
  request.method = "POST";
  request.url = fmt::format("{}/cache/v1/{}/{}", address_.origin, verb, space);
  request.headers = {"Content-Type: application/json"};
  request.body = std::move(message);
  request.follow_redirects = false;
  request = prepared(std::move(request));
  request.timeout = patience() + extra;
  request.stall = std::chrono::ceil<std::chrono::seconds>(*request.timeout);
  request.patience.reset();
  if (need == Need::Step) {
    request.stall = std::min(request.stall, kLayerStall);
    request.patience = kLayerPatience;
  }
  registry::TextBody body(cache_server::kMaxMessageBytes);
  const Steady::time_point begun = Steady::now();
  std::optional<BusyTime::One> wait;
  if (need == Need::Step) {
    wait.emplace(waits_);
  }
  const Result<Response> response = deps_.transport.send(request, body, cancel);
  wait.reset();
  const Milliseconds took = since(begun);
  if (need == Need::Step) {
    note_wait(response, took, cancel);
  }
  if (response && response->ok() && extra.count() == 0) {
    usual_ms_ = has_answered_ ? (usual_ms_ * 3 + took.count()) / 4 : took.count();
  }
  note(response, cancel);
  return answer(response, fmt::format("{} at {}", verb, address_.text), body.text());
}

/// What a server of this protocol cannot say counts as a failure, too.
Result<std::string> ServerLink::answer(const Result<Response>& response, std::string_view what,
                                       const std::string& text) {
  if (!response) {
    return Error(response.error()).context(what);
  }
  if (!response->ok()) {
    return refusal(*response, what);
  }
  return text;
}

Error ServerLink::refusal(const Response& response, std::string_view what) {
  const std::string words = registry::registry_message(response);
  const std::string told = words.empty() ? std::string() : ": " + words;
  switch (response.status) {
    case 401: {
      Error error =
          make_error(ErrorKind::Denied,
                     "it takes no token of ours{}; set $MYBUILD_CACHE_TOKEN, or cacheServer.token "
                     "in config.json",
                     told)
              .with_hint("who runs the server makes tokens with 'mybuild serve token create'");
      close(error);
      return error;
    }
    case 403: {
      Error error = make_error(ErrorKind::Denied,
                               "{} is not allowed with our token{}; ask for another, or use "
                               "--cache-flush=off to read only",
                               what, told);
      tell_once(error);
      return error;
    }
    case 404: {
      Error error = make_error(ErrorKind::NotFound, "{}: there is no such namespace{}", what, told)
                        .with_hint("is this the address of a cache server?");
      close(error);
      return error;
    }
    case kFull:
      return make_error(ErrorKind::Denied, "{}: the cache server has no space left{}", what, told);
    default:
      return make_error(ErrorKind::Unavailable, "{}: status {}{}", what, response.status, told);
  }
}

/// Steps wait for it: who stops for seconds is not given another chance.
void ServerLink::note_wait(const Result<Response>& response, Milliseconds took,
                           const Cancel& cancel) {
  if (is_too_slow(response) && took >= kLayerStall && !cancel.requested()) {
    close(response.error());
  }
}

void ServerLink::note(const Result<Response>& response, const Cancel& cancel) {
  if (cancel.requested() || (!response && response.error().os_errno() == kEnough)) {
    return;
  }
  // 429: too much of one kind of thing, which says nothing of others.
  const bool is_bad =
      !response || is_redirect(*response) || (response->status >= 500 && response->status != kFull);
  if (response && response->ok()) {
    has_served_ = true;
  } else {
    std::string why = response ? unexpected(*response).message() : response.error().message();
    last_failure_.lock()->swap(why);
  }
  if (!is_bad) {
    failures_ = 0;
    has_answered_ = true;
    return;
  }
  const Error why = response ? unexpected(*response) : response.error();
  log::debug("cache server: {}", why.message());
  if (++failures_ >= kMostFailures || (!response && !has_answered_)) {
    close(why);
  }
}

std::string ServerLink::complaint() {
  const auto failure = last_failure_.lock();
  return is_closed() || told_ || has_served_ ? std::string() : *failure;
}

void ServerLink::close(const Error& why) {
  if (closed_.exchange(true)) {
    return;
  }
  deps_.events.on_event(
      solver::Warning{.message = fmt::format("the build goes on without the cache server {}: {}",
                                             address_.text, registry::printable(why.message())),
                      .detail = why.hint(),
                      .location = {}});
}

void ServerLink::tell_once(const Error& refused) {
  if (!told_.exchange(true)) {
    deps_.events.on_event(solver::Warning{.message = registry::printable(refused.message()),
                                          .detail = refused.hint(),
                                          .location = {}});
  }
}

Result<bool> ServerLink::upload_at_once(const std::string& space, const Digest& digest,
                                        std::string bytes, const Cancel& cancel) {
  Request request;
  request.method = "POST";
  request.url =
      fmt::format("{}/v2/{}/blobs/uploads/?digest={}", address_.origin, space, digest.str());
  request.headers = {"Content-Type: application/octet-stream"};
  request.body = std::move(bytes);
  request.timeout = kUpload;
  registry::TextBody body(kShortAnswer);
  const Response response = TRY(send(request, body, cancel));
  if (!response.ok()) {
    return registry::status_error(response, "upload a layer to the cache server");
  }
  return response.status == kCreated;
}

Status ServerLink::download(const std::string& space, const oci::Descriptor& blob, Sink& sink,
                            Milliseconds limit, const Cancel& cancel) {
  registry::BlobBody body(blob, sink);
  Request request;
  request.url = fmt::format("{}/v2/{}/blobs/{}", address_.origin, space, blob.digest.str());
  request.timeout = limit;
  request.stall = kLayerStall;
  request.patience = kLayerPatience;
  for (int attempt = 0;; ++attempt) {
    const Steady::time_point begun = Steady::now();
    const Result<Response> response = send(request, body, cancel);
    if (body.refusal()) {
      return *body.refusal();
    }
    if (response && response->ok()) {
      return body.verify();
    }
    Error error = response ? registry::status_error(*response, "layer of the cache server")
                           : response.error();
    const Milliseconds took = since(begun);
    if (took < limit) {  // else it came steadily, only slowly
      note_wait(response, took, cancel);
    }
    if (error.kind() != ErrorKind::Unavailable || is_too_slow(response) || body.received() == 0 ||
        attempt == 1) {
      return error;
    }
  }
}

}  // namespace mybuild::cache_client
