// SPDX-License-Identifier: Apache-2.0
// ServerAddress: where a cache server is, as the user writes it: http(s)://host[:port][/namespace],
// or unix:/path/of/socket[:namespace]. A value type.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild::cache_client {

/// The namespace that the token belongs to, whatever it is called.
inline constexpr std::string_view kOwnSpace = "-";

struct ServerAddress {
  std::string text;              // for messages: as written
  std::string origin;            // "https://host:port"; of a socket "http://localhost"
  std::string host;              // "host:port", as logins are kept by; "unix:/path"
  std::string socket;            // "" for a network address
  std::string space{kOwnSpace};  // kOwnSpace: the token's own
  std::uint16_t port = 0;        // 0 for a socket
  bool is_tls() const { return origin.starts_with("https:"); }
  /// On this machine: spoken to without TLS.
  bool is_local() const;
};

/// InvalidArgument says what is wrong with it.
Result<ServerAddress> parse_address(std::string_view text);

}  // namespace mybuild::cache_client
