// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/channel.h"

#include "builder/registry/backoff.h"
#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/url.h"
#include "snapshotter/base/log.h"

#include <cerrno>

namespace mybuild::registry {

namespace {

/// Six take five seconds or so: a registry is up again after a restart by then.
constexpr int kAttempts = 6;
constexpr int kFirstContacts = 3;
constexpr int kWeightOfSilence = 3;
constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxProbe = 1 << 20;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string with_scheme(std::string_view scheme, const std::string& origin) {
  return std::string(scheme) + origin.substr(origin.find("://"));
}

/// "host:port" of who answered, where that is not the registry; else "".
std::string other_host(const Response& response, const Endpoint& endpoint) {
  const auto host = [](const std::string& origin) {
    const std::size_t scheme = origin.find("://");
    return scheme == std::string::npos ? std::string() : origin.substr(scheme + 3);
  };
  const std::string answered = host(response.origin);
  return answered == host(endpoint.origin) ? std::string() : answered;
}

}  // namespace

std::string pull_scope(const Endpoint& endpoint) {
  return "repository:" + endpoint.repository + ":pull";
}

std::string push_scope(const Endpoint& endpoint, const std::string& other) {
  const std::string own = "repository:" + endpoint.repository + ":pull,push";
  return other.empty() ? own : own + " repository:" + other + ":pull";
}

Channel::Channel(Transport& transport, RegistryAccess access)
    : transport_(transport),
      defaults_(access.hosts == nullptr ? make_host_table({}) : nullptr),
      hosts_(access.hosts == nullptr ? *defaults_ : *access.hosts),
      tokens_(transport, access) {}

Result<std::vector<Endpoint>> Channel::endpoints(const oci::Reference& reference, Purpose purpose,
                                                 const Cancel&) {
  std::vector<Endpoint> all = TRY(hosts_.endpoints(reference, purpose));
  const auto dead = dead_mirrors_.lock();
  std::vector<Endpoint> alive;
  for (Endpoint& endpoint : all) {
    if (!endpoint.mirror || !dead->contains(endpoint.origin)) {
      alive.push_back(std::move(endpoint));
    }
  }
  return alive;
}

void Channel::note_failure(const Endpoint& endpoint, const Error& error) {
  log::debug("{}: {}; the next place is asked", endpoint.origin, error.message());
  if (endpoint.mirror && error.kind() == ErrorKind::Unavailable) {
    dead_mirrors_.lock()->insert(endpoint.origin);
  }
}

/// What leads elsewhere is followed here when this host is special: libcurl would show our
/// certificate to that other host, or not check its one.
Result<Response> Channel::send_one(Request request, const Endpoint& endpoint, BodySink& body,
                                   const Cancel& cancel) {
  request.tls = endpoint.tls;
  if (request.tls == nullptr || !request.follow_redirects) {
    return transport_.send(request, body, cancel);
  }
  request.follow_redirects = false;
  for (int hops = 0; hops <= kMaxRedirects; ++hops) {
    Response response = TRY(transport_.send(request, body, cancel));
    if (!is_redirect(response.status)) {
      response.origin = origin_of(request.url);
      return response;
    }
    const std::string url = resolve_location(request.url, response.header("location"));
    if (url.empty() || (request.url.starts_with("https:") && !url.starts_with("https:"))) {
      return make_error(ErrorKind::Denied, "{} leads to \"{}\", which is not https",
                        printable(without_query(request.url)),
                        printable(without_query(response.header("location"))));
    }
    if (origin_of(url) != origin_of(request.url)) {
      std::erase_if(request.headers, [](const std::string& header) {
        return lower_case(header).starts_with("authorization:");
      });
      request.tls = TRY(hosts_.tls_for(origin_of(url)));
    }
    request.url = url;
  }
  return invalid_argument("{} sends the request round in a circle",
                          printable(without_query(request.url)));
}

Result<Response> Channel::authorized(const Request& request, const Endpoint& endpoint,
                                     const std::string& scope, BodySink& body,
                                     const Cancel& cancel) {
  Request attempt = request;
  const std::string sent = tokens_.find(endpoint, scope);
  if (!sent.empty()) {
    attempt.headers.push_back("Authorization: " + sent);
  }
  Response response = TRY(send_one(attempt, endpoint, body, cancel));
  // What a redirect led to wants no login of ours, and gets none.
  if (response.status != 401 || !other_host(response, endpoint).empty()) {
    return response;
  }
  const std::string fresh = TRY(tokens_.answer(endpoint, scope, response, sent, cancel));
  attempt = request;
  attempt.headers.push_back("Authorization: " + fresh);
  return send_one(attempt, endpoint, body, cancel);
}

Status Channel::try_tls(const Endpoint& endpoint, const Cancel& cancel) {
  Request probe;
  probe.url = with_scheme("https", endpoint.origin) + "/v2/";
  probe.tls = endpoint.tls;
  TextBody ignored(kMaxProbe);
  const Result<Response> answer = transport_.send(probe, ignored, cancel);
  return answer ? Status() : Status(answer.error());
}

/// An insecure registry is asked by TLS first.
Result<Endpoint> Channel::settled(const Endpoint& endpoint, const Cancel& cancel) {
  Endpoint place = endpoint;
  {
    const auto known = settled_.lock();
    if (const auto found = known->find(endpoint.origin); found != known->end()) {
      place.origin = found->second;
      return place;
    }
  }
  if (!endpoint.insecure || endpoint.origin.starts_with("http:")) {
    return place;
  }
  const bool tls = try_tls(endpoint, cancel).has_value();
  TRY(cancel.check());
  place.origin = with_scheme(tls ? "https" : "http", endpoint.origin);
  settled_.lock()->emplace(endpoint.origin, place.origin);
  return place;
}

Result<Response> Channel::send(Request request, const Endpoint& endpoint, const std::string& scope,
                               BodySink& body, const Cancel& cancel) {
  Endpoint place = TRY(settled(endpoint, cancel));
  const std::string origin = origin_of(request.url);
  if (origin != endpoint.origin && origin != place.origin) {
    request.tls = TRY(hosts_.tls_for(origin));
    return transport_.send(request, body, cancel);
  }
  const std::string path = request.url.substr(origin.size());
  request.url = place.origin + path;
  Response response = TRY(authorized(request, place, scope, body, cancel));
  alive_.lock()->insert(endpoint.origin);
  // A server that wants TLS says so with 400; on this machine nobody told us before.
  const bool may_want_tls = response.status == 400 && place.origin.starts_with("http:") &&
                            !settled_.lock()->contains(endpoint.origin);
  if (!may_want_tls) {
    return response;
  }
  const Status tls = try_tls(place, cancel);
  TRY(cancel.check());
  if (!tls && tls.error().kind() == ErrorKind::Denied) {
    return tls.error();  // it does, with a certificate that we do not trust
  }
  place.origin = with_scheme(tls ? "https" : "http", place.origin);
  settled_.lock()->emplace(endpoint.origin, place.origin);
  request.url = place.origin + path;
  return tls ? authorized(request, place, scope, body, cancel) : Result<Response>(response);
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
  const std::string other = other_host(*response, endpoint_);
  if (error.kind() == ErrorKind::Denied && !other.empty()) {
    return redirect_denied(*response, what, other);
  }
  if (error.kind() == ErrorKind::Denied) {
    return channel_.tokens().explain(std::move(error), endpoint_, response->status);
  }
  if (!worth_retrying(response->status)) {
    return error;
  }
  return next(std::move(error), &*response, cancel);
}

Status Attempts::next(Error error, const Response* answer, const Cancel& cancel) {
  const int attempts =
      answer != nullptr || channel_.is_alive(endpoint_.origin) ? kAttempts : kFirstContacts;
  // Each silence takes half a minute to be one.
  failures_ += error.os_errno() == ETIMEDOUT ? kWeightOfSilence : 1;
  const std::chrono::milliseconds delay = backoff_delay(failures_, answer);
  waited_ += delay;
  if (failures_ >= attempts || waited_ > patience_) {
    return error;
  }
  log::debug("{}; attempt {} follows", error.message(), failures_ + 1);
  return wait_or_cancel(delay, cancel);
}

}  // namespace mybuild::registry
