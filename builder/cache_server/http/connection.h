// SPDX-License-Identifier: Apache-2.0
// One connection of a client: requests of HTTP/1.1 (RFC 9112), one after the other, each given to
// the handler while its body comes in. Parsed by Boost.Beast. Used on one strand.
#pragma once

#include "builder/cache_server/http/body_memory.h"
#include "builder/cache_server/http/channel.h"
#include "builder/cache_server/http/http_server.h"

#include <atomic>
#include <memory>

namespace mybuild::cache_server {

/// What all connections share. Thread-safe.
struct ConnectionDeps {
  const HttpSettings& settings;
  Handler& handler;
  const std::function<void(const Served&)>& on_served;
  const std::atomic<bool>& is_stopping;  // no request after the one that runs
  BodyMemory& memory;
};

/// Serves until either side is done. `deps` outlives it.
awaitable<void> serve_connection(std::unique_ptr<Channel> channel, std::shared_ptr<Peer> peer,
                                 const ConnectionDeps& deps);

}  // namespace mybuild::cache_server
