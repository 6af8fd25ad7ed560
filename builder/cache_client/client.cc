// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/client.h"

#include "builder/cache_client/token.h"

namespace mybuild::cache_client {

namespace {

/// What the noted keys of a server are kept under: its address without the namespace.
std::string name_of(const ServerAddress& address) {
  return address.socket.empty() ? address.origin : "unix:" + address.socket;
}

}  // namespace

Result<std::unique_ptr<CacheClient>> CacheClient::start(Settings settings, const Deps& deps) {
  const ServerAddress& address = settings.address;
  if (!address.is_tls() && !address.is_local() && !deps.hosts.is_insecure(address.origin)) {
    return make_error(ErrorKind::Denied,
                      "the cache server {} would get our token over a network without TLS",
                      address.text)
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
                .prepare = [this] {
                  link_.set_token(
                      find_token(settings_.address, settings_.token, deps_.logins, deps_.cancel));
                }}) {}

void CacheClient::finish() {
  const std::string complaints = records_.complaints();
  if (!complaints.empty()) {
    deps_.events.on_event(solver::Warning{
        .message =
            fmt::format("not used of the cache server {}: {}", settings_.address.text, complaints),
        .detail = {},
        .location = {}});
  }
}

}  // namespace mybuild::cache_client
