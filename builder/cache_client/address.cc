// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/address.h"

#include "builder/cache_server/protocol/names.h"
#include "builder/registry/url.h"
#include "snapshotter/oci/reference.h"

#include <charconv>

namespace mybuild::cache_client {

namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kForms =
    "write http(s)://host:port[/namespace] or unix:/path[:namespace]";

Status take_space(std::string_view space, ServerAddress& address) {
  if (space.empty() || space == kOwnSpace) {
    return {};
  }
  if (!cache_server::is_repository_name(space)) {
    return invalid_argument("\"{}\" is no namespace of a cache server", space);
  }
  address.space = space;
  return {};
}

Result<std::uint16_t> port_of(std::string_view host, bool is_tls) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) {
    return static_cast<std::uint16_t>(is_tls ? 443 : 80);
  }
  const std::string_view digits = host.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (code != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return invalid_argument("\"{}\" has no port in it", host);
  }
  return port;
}

Result<ServerAddress> parse_socket(std::string_view text) {
  ServerAddress address;
  std::string_view path = text.substr(kUnix.size());
  const std::size_t colon = path.rfind(':');
  if (colon != std::string_view::npos) {
    TRY(take_space(path.substr(colon + 1), address));
    path = path.substr(0, colon);
  }
  if (!path.starts_with('/')) {
    return invalid_argument("\"{}\" is no absolute path", path);
  }
  address.socket = path;
  address.origin = "http://localhost";
  address.host = std::string(kUnix) + address.socket;
  return address;
}

Result<ServerAddress> parse_network(std::string_view text) {
  ServerAddress address;
  address.origin = registry::origin_of(text);
  if (address.origin.empty()) {
    return invalid_argument("\"{}\" is no address of a cache server", registry::without_query(text))
        .with_hint(std::string(kForms));
  }
  std::string_view rest = text.substr(address.origin.size());
  while (rest.starts_with('/')) {
    rest.remove_prefix(1);
  }
  while (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  address.host = address.origin.substr(address.origin.find("://") + 3);
  address.port = TRY(port_of(address.host, address.is_tls()));
  TRY(take_space(rest, address));
  return address;
}

}  // namespace

bool ServerAddress::is_local() const {
  return !socket.empty() || oci::is_loopback(host);
}

Result<ServerAddress> parse_address(std::string_view text) {
  ServerAddress address = TRY(text.starts_with(kUnix) ? parse_socket(text) : parse_network(text));
  address.text = registry::without_query(text);
  return address;
}

}  // namespace mybuild::cache_client
