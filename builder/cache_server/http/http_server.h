// SPDX-License-Identifier: Apache-2.0
// HttpServer: listens, takes connections, and has each served by a few threads; handlers may block
// them for the time of a disk access. Memory is bounded by the limits, whatever clients do. Nothing
// of Boost in this header. Thread-safe.
#pragma once

#include "builder/cache_server/exchange.h"
#include "builder/cache_server/http/listen_address.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::cache_server {

/// A request that is over, for metrics and the log. A value type.
struct Served {
  std::string method;
  std::string path;
  int status = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::nanoseconds duration{};
  std::string note;
};

struct HttpSettings {
  std::string tls_certificate;  // PEM files; both or none. Sockets of the file system have none.
  std::string tls_key;
  std::size_t max_connections = 10'000;
  std::size_t max_body_memory = 512 << 20;  // of all that is gathered, shared as BodyMemory says
  std::chrono::seconds head_time{20};       // for the head of a request, from its first byte on
  std::chrono::seconds idle_time{300};      // between two requests
  std::chrono::seconds stall_time{60};      // for the next bytes of a body
  std::chrono::seconds stop_grace{10};      // for requests that run when it has to stop
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;
  virtual std::size_t connections() = 0;
  /// Until `cancel`: then no more requests are taken, and those that run may end.
  virtual Status run(const Cancel& cancel) = 0;
};

/// References outlive the server. `on_served` is called on any thread.
Result<std::unique_ptr<HttpServer>> make_http_server(const HttpSettings& settings,
                                                     std::vector<Listener> listeners,
                                                     Handler& handler,
                                                     std::function<void(const Served&)> on_served);

}  // namespace mybuild::cache_server
