// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/listen_address.h"

#include "snapshotter/base/file.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace mybuild::cache_server {

namespace {

constexpr int kBacklog = 1024;

Error no_address(std::string_view text) {
  return invalid_argument("{} is no address to listen on", text)
      .with_hint("for example 127.0.0.1:5050, [::]:5050 or unix:/run/mybuild-cache.sock");
}

struct AddressInfoDeleter {
  void operator()(addrinfo* info) const { ::freeaddrinfo(info); }
};
using AddressInfo = std::unique_ptr<addrinfo, AddressInfoDeleter>;

Result<AddressInfo> resolve(const ListenAddress& address) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int code = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                 port.c_str(), &wanted, &found);
  if (code != 0) {
    return invalid_argument("listen on {}: {}", address.host, ::gai_strerror(code));
  }
  return AddressInfo(found);
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
}

/// Name and port that the kernel gave it.
Status name_listener(Listener& listener) {
  sockaddr_storage own{};
  socklen_t size = sizeof(own);
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (::getsockname(listener.socket.get(), address, &size) < 0) {
    return os_error(errno, "getsockname");
  }
  char host[INET6_ADDRSTRLEN] = "";
  const bool is_v6 = own.ss_family == AF_INET6;
  const void* raw =
      is_v6 ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&own)->sin6_addr)
            : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&own)->sin_addr);
  ::inet_ntop(own.ss_family, raw, host, sizeof(host));
  listener.port = ntohs(is_v6 ? reinterpret_cast<sockaddr_in6*>(&own)->sin6_port
                              : reinterpret_cast<sockaddr_in*>(&own)->sin_port);
  listener.name = is_v6 ? fmt::format("[{}]:{}", host, listener.port)
                        : fmt::format("{}:{}", host, listener.port);
  listener.is_local = is_loopback(address);
  return {};
}

Result<Listener> listen_tcp(const ListenAddress& address) {
  const AddressInfo info = TRY(resolve(address));
  const std::string what = fmt::format("listen on {}:{}", address.host, address.port);
  Listener listener;
  listener.socket = Fd(::socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  const int fd = listener.socket.get();
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
      ::bind(fd, info->ai_addr, info->ai_addrlen) < 0 || ::listen(fd, kBacklog) < 0) {
    const int why = errno;
    Error error = os_error(why, what);
    return why == EADDRINUSE
               ? std::move(error).with_hint("another server is there; choose another --listen")
               : error;
  }
  TRY(name_listener(listener));
  return listener;
}

bool answers(const sockaddr_un& address) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

Result<Listener> listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return invalid_argument("listen on unix:{}: the path is longer than {} bytes", path,
                            sizeof(address.sun_path) - 1);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && (!S_ISSOCK(info.st_mode) || answers(address))) {
    return make_error(ErrorKind::AlreadyExists, "listen on unix:{}: {}", path,
                      S_ISSOCK(info.st_mode) ? "another server is there" : "a file is there");
  }
  ::unlink(path.c_str());
  Listener listener;
  listener.socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = listener.socket.get();
  // Before bind(2), which takes the mode from it: the file never lies open to others.
  if (fd < 0 || ::fchmod(fd, 0600) < 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 ||
      ::chmod(path.c_str(), 0600) < 0 || ::listen(fd, kBacklog) < 0) {
    return os_error(errno, "listen on unix:" + path);
  }
  listener.name = "unix:" + path;
  listener.is_local = true;
  listener.socket_path = path;
  return listener;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::string_view whole = text;
  for (const std::string_view scheme : {"http://", "https://", "tcp://"}) {
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
    }
  }
  if (text.starts_with("unix:")) {
    text.remove_prefix(text.starts_with("unix://") ? 7 : 5);
    if (!text.starts_with('/')) {
      return no_address(whole);
    }
    return ListenAddress{.host = {}, .port = 0, .socket_path = std::string(text)};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return no_address(whole);
  }
  const std::string_view digits = text.substr(colon + 1);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return no_address(whole);
  }
  ListenAddress address{.host = std::string(host), .port = 0, .socket_path = {}};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return no_address(whole);
  }
  return address;
}

Result<Listener> listen_on(const ListenAddress& address) {
  return address.socket_path.empty() ? listen_tcp(address) : listen_unix(address.socket_path);
}

}  // namespace mybuild::cache_server
