// SPDX-License-Identifier: Apache-2.0
// Where a server listens, as people write it. Value types.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild::cache_server {

struct ListenAddress {
  std::string host;         // an address or a name; "": all of this machine's
  std::uint16_t port = 0;   // 0: any
  std::string socket_path;  // of a socket in the file system, instead
};

/// "127.0.0.1:5050", ":5050", "[::1]:5050", "localhost:0", "unix:/run/mybuild.sock", with or
/// without "http://" in front.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// A listening socket, and what it is called: "127.0.0.1:5050" or "unix:/path". A socket file that
/// nobody listens on any more is replaced; a new one is for its owner only.
struct Listener {
  Fd socket;
  std::string name;
  bool is_local = false;  // nobody outside of this machine can reach it
  std::string socket_path;
  std::uint16_t port = 0;
};
Result<Listener> listen_on(const ListenAddress& address);

}  // namespace mybuild::cache_server
