// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/client.h"

#include "builder/cache_client/token.h"
#include "builder/registry/errors.h"
#include "solver/key.h"

namespace mybuild::cache_client {

namespace {

/// What the noted keys of a server are kept under: its address without the namespace.
std::string name_of(const ServerAddress& address) {
  return address.socket.empty() ? address.origin : "unix:" + address.socket;
}

/// However short the build was.
constexpr std::chrono::milliseconds kLeastFlush{2'000};

double seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Result<std::unique_ptr<CacheClient>> CacheClient::start(Settings settings, const Deps& deps) {
  const ServerAddress& address = settings.address;
  if (!address.is_tls() && !address.is_local() && !deps.hosts.is_insecure(address.origin)) {
    return make_error(ErrorKind::Denied, "it would get our token over a network without TLS")
        .with_hint("use https, or allow it with --insecure-registry " + address.host);
  }
  auto tls = TRY(deps.hosts.tls_for(address.origin));
  return std::unique_ptr<CacheClient>(new CacheClient(std::move(settings), deps, std::move(tls)));
}

CacheClient::CacheClient(Settings settings, const Deps& deps,
                         std::shared_ptr<const registry::TlsSettings> tls)
    : settings_(std::move(settings)),
      deps_(deps),
      link_(settings_.address,
            {.transport = deps.transport, .events = deps.events, .tls = std::move(tls)}),
      keys_(name_of(settings_.address), settings_.keys, settings_.pins_file),
      records_({.link = link_,
                .keys = keys_,
                .lanes = deps.lanes,
                .events = deps.events,
                .cancel = deps.cancel,
                .prepare =
                    [this](const Cancel& stop) {
                      link_.set_token(
                          find_token(settings_.address, settings_.token, deps_.logins, stop));
                    }}),
      claims_(
          {.link = link_, .records = records_, .lanes = deps.lanes, .patience = deps.patience}) {
  if (settings_.flush.how == Flush::How::Off) {
    return;
  }
  publisher_ = std::make_unique<Publisher>(Publisher::Deps{
      .link = link_,
      .records = records_,
      .content = deps.content,
      .layers = deps.layers,
      .hosts = deps.hosts,
      .cancel = deps.cancel,
      .has_secret = deps.has_secret,
      .masked = deps.masked,
      .on_settled = [this](const solver::ContentKey& content) { claims_.give_back(content); },
      .stuck = deps.stuck});
}

/// A claim stays while its step is on its way to the server.
std::unique_ptr<solver::StepClaims> CacheClient::claims(std::unique_ptr<solver::StepClaims> local,
                                                        ClaimWords::Says is_known) {
  return make_server_claims(std::move(local), claims_,
                            {.is_kept =
                                 [this](const solver::ContentKey& content) {
                                   return publisher_ != nullptr && publisher_->has(content);
                                 },
                             .is_known = std::move(is_known)});
}

/// Without a namespace it is the token that says what it reads.
Digest CacheClient::trust_domain() {
  const ServerAddress& address = settings_.address;
  records_.wait_prepared();
  solver::KeyBuilder key("mybuild.trust.v1");
  key.add(name_of(address)).add(address.space);
  key.add(address.space == kOwnSpace ? link_.token() : "");
  return key.finish();
}

Digest CacheClient::identity() const {
  solver::KeyBuilder key("mybuild.publisher.v1");
  key.add(name_of(settings_.address)).add(settings_.address.space).add(settings_.token);
  return key.finish();
}

void CacheClient::on_record(const solver::CacheRecord& record) {
  if (publisher_ != nullptr) {
    publisher_->add(record);
  }
}

void CacheClient::warn(std::string message, std::string detail) {
  deps_.events.on_event(
      solver::Warning{.message = std::move(message), .detail = std::move(detail), .location = {}});
}

/// Nobody who did not ask for it waits longer than for the build itself. What is left then goes out
/// behind another one.
std::chrono::milliseconds CacheClient::flush_time() const {
  const Flush& flush = settings_.flush;
  if (flush.is_asked) {
    return flush.time;
  }
  return std::min(flush.time, link_.is_slow() ? publisher_->cost_of_left()
                                              : std::max(kLeastFlush, link_.time_of_build()));
}

/// Shown like a step, where there is something to wait for. How many are left.
std::size_t CacheClient::wait_for_publisher() {
  if (publisher_->left() == 0) {
    return 0;
  }
  const std::string title = "publishing to the cache server " + settings_.address.text;
  const solver::VertexId vertex = solver::internal_vertex(title);
  deps_.events.on_event(solver::VertexStarted{vertex, title, deps_.clock.now()});
  waited_ = flush_time();
  const std::size_t left = publisher_->finish(waited_).size();
  deps_.events.on_event(solver::VertexDone{vertex, deps_.clock.now(), std::nullopt});
  return left;
}

/// In one warning, and only if the server's failure was not told by now.
void CacheClient::tell_what_is_lost(std::size_t left) {
  const Publisher::Lost lost = publisher_->lost();
  const bool is_told =
      link_.is_closed() || link_.is_slow() || link_.has_told() || !link_.complaint().empty();
  if (left + lost.steps == 0 || deps_.cancel.requested() || is_told) {
    return;
  }
  std::string why = lost.why;
  std::string detail;
  if (publisher_->is_stuck()) {
    why = fmt::format("nothing moved for {:.0f} s{}", seconds(deps_.stuck),
                      why.empty() ? "" : ", and before that: " + why);
  } else if (left > 0) {
    why = fmt::format("{:.0f} s were not enough; the next build that meets it goes on with them",
                      seconds(waited_));
    detail = "--cache-flush=wait:5m waits longer, --cache-flush=background not at all";
  }
  warn(fmt::format("{} steps were not published to the cache server {}: {}", left + lost.steps,
                   settings_.address.text, why),
       std::move(detail));
}

/// Who goes on with them knows no secrets.
std::vector<solver::CacheRecord> CacheClient::fit_to_leave(std::vector<solver::CacheRecord> steps) {
  std::erase_if(
      steps, [this](const solver::CacheRecord& record) { return !publisher_->may_leave(record); });
  for (solver::CacheRecord& record : steps) {
    record.run->step = publisher_->name_of(record);
  }
  return steps;
}

std::vector<solver::CacheRecord> CacheClient::unsent() {
  return publisher_ == nullptr ? std::vector<solver::CacheRecord>()
                               : fit_to_leave(publisher_->unsent());
}

std::vector<solver::CacheRecord> CacheClient::flush() {
  std::vector<solver::CacheRecord> left;
  if (publisher_ == nullptr) {
    return left;
  }
  if (settings_.flush.how == Flush::How::Background) {
    left = fit_to_leave(publisher_->finish(std::chrono::milliseconds(0)));
    if (!left.empty()) {
      claims_.leave();
    }
    tell_what_is_lost(0);
  } else {
    tell_what_is_lost(wait_for_publisher());
  }
  if (publisher_->is_stuck()) {
    link_.leave();  // claims are not worth a wait, either
  }
  if (const std::string withheld = publisher_->withheld(); !withheld.empty()) {
    warn("not published, as the value of a secret is in their files: " + withheld,
         "whoever gets such an image gets the secret, too");
  }
  return left;
}

std::vector<solver::CacheRecord> CacheClient::finish() {
  std::vector<solver::CacheRecord> left = flush();
  if (const std::string said = link_.complaint(); !said.empty() && !deps_.cancel.requested()) {
    warn(fmt::format("the cache server {} was of no use: {}", settings_.address.text,
                     registry::printable(said)));
  }
  const std::string complaints = records_.complaints();
  if (!complaints.empty()) {
    warn(fmt::format("not used of the cache server {}: {}", settings_.address.text, complaints));
  }
  return left;
}

}  // namespace mybuild::cache_client
