// SPDX-License-Identifier: Apache-2.0
// Plain HTTP/1.1 (RFC 9112) to servers on this machine, without libcurl: what a local registry is
// asked and sent, but for large uploads. The 36 libraries behind libcurl take longer to load than
// most builds that need nothing else of them. Inside builder/registry. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/guarded.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::registry {

class PlainHttp {
 public:
  /// No TLS, no proxy, no name to look up; what is sent is small.
  static bool takes(const Request& request);

  /// The answer to what it takes, as Transport::send() gives it. nullopt when it needs more than
  /// that to get it, or to say why there is none: libcurl is to try. For requests other than GET
  /// and HEAD that means that nothing was sent.
  Result<std::optional<Response>> send(const Request& request, BodySink& body,
                                       const Cancel& cancel);

 private:
  struct Connection {
    std::string origin;
    Fd socket;
  };
  Fd take(const std::string& origin);
  void keep(std::string origin, Fd socket);

  Guarded<std::vector<Connection>> idle_;
};

}  // namespace mybuild::registry
