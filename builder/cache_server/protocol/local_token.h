// SPDX-License-Identifier: Apache-2.0
// The token that a server on this machine leaves for clients of its own user: where it lies, and
// whether whoever listens is that user at all. Both sides use this, so that they agree. The file's
// directory is ours alone. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild::cache_server {

/// Of a server on a loopback address: "<runtime>/mybuild/serve-<port>.token", where <runtime> is
/// $XDG_RUNTIME_DIR, else /run for root and /tmp/mybuild-<uid> for others.
std::string local_token_path(std::uint16_t port);
/// Of a server behind a unix socket: beside it.
std::string local_token_path(const std::string& socket);

/// Writes it, readable by us alone; makes the directory where it is missing. Denied when that is
/// not ours, or others may write to it.
Status publish_local_token(const std::string& path, std::string_view token);
/// "" when there is none, or when it is not ours.
std::string read_local_token(const std::string& path);

/// Whether all that listens on this TCP port, on whatever address, belongs to our user; false when
/// nobody does. `tcp`, `tcp6`: the texts of /proc/net/tcp and tcp6 (proc_net(5)).
bool is_our_port(std::uint16_t port, std::string_view tcp, std::string_view tcp6,
                 std::uint32_t uid);
bool is_our_port(std::uint16_t port);
/// Whether there is a socket of that name, and our user made it.
bool is_our_socket(const std::string& path);

}  // namespace mybuild::cache_server
