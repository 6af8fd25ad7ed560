// SPDX-License-Identifier: Apache-2.0
// Front: the first handler of every request. It finds out who asks and gives the request to whom
// its address belongs to; what monitors ask for it answers itself, to anybody. Thread-safe.
#pragma once

#include "builder/cache_server/access.h"
#include "builder/cache_server/exchange.h"
#include "builder/cache_server/metrics.h"

#include <functional>

namespace mybuild::cache_server {

class Front final : public Handler {
 public:
  struct Deps {
    const AccessControl& access;
    Metrics& metrics;
    Handler& registry;  // /v2/…
    Handler& records;   // /cache/v1/…
    Handler& admin;     // /admin/v1/…
    /// Whether requests can be served now: an error says why not.
    std::function<Status()> is_ready;
  };
  explicit Front(Deps deps) : deps_(std::move(deps)) {}
  std::unique_ptr<Exchange> begin(Request request) override;

 private:
  /// nullptr for an address that is not everybody's.
  std::unique_ptr<Exchange> begin_public(const Request& request);

  const Deps deps_;
};

}  // namespace mybuild::cache_server
