// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/plain_socket.h"

#include "builder/registry/url.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace mybuild::registry {

namespace {

/// A registry that has taken a blob may be silent while it moves it to its place.
constexpr std::chrono::seconds kUploadStall{180};
constexpr double kLeastBytesPerSecond = 1024;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Nothing is looked up. Null when it is none.
Addresses numeric_address(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const bool found = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list) == 0;
  return Addresses(found ? list : nullptr);
}

/// Of "host:port" on this machine, in the order of libcurl, which takes "localhost" for both
/// loopback addresses, too.
std::vector<Addresses> addresses_of(std::string_view place) {
  const std::size_t colon = place.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && place.find(']', colon) == std::string_view::npos;
  const std::string port(has_port ? place.substr(colon + 1) : "80");
  std::string host(place.substr(0, has_port ? colon : place.size()));
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  }
  const std::vector<std::string> hosts = host == "localhost"
                                             ? std::vector<std::string>{"::1", "127.0.0.1"}
                                             : std::vector<std::string>{host};
  std::vector<Addresses> found;
  for (const std::string& one : hosts) {
    if (Addresses address = numeric_address(one, port)) {
      found.push_back(std::move(address));
    }
  }
  return found;
}

/// Empty where nobody listens.
Result<Fd> connect_to(const addrinfo& address, const WaitLimits& limits) {
  Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) {
      return Fd();
    }
    TRY(limits.wait(socket.get(), POLLOUT));
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
      return Fd();
    }
  }
  const int at_once = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  return socket;
}

bool must_wait() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

WaitLimits::WaitLimits(const Request& request, const Cancel& cancel)
    : request_(request),
      cancel_(cancel),
      stall_(request.stream ? std::max(kUploadStall, request.stall) : request.stall) {}

Status WaitLimits::wait(int socket, short what) const {
  Clock::time_point end = Clock::now() + stall_;
  if (request_.timeout) {
    end = std::min(end, start_ + *request_.timeout);
  }
  pollfd watched[] = {{socket, what, 0}, {cancel_.fd(), POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    const int ready = ::poll(watched, 2, std::max(0, static_cast<int>(left.count())));
    TRY(cancel_.check());
    if (ready > 0) {
      return {};
    }
    if (ready == 0) {
      return too_slow("no answer came in time");
    }
  }
}

Status WaitLimits::check(std::uint64_t bytes) const {
  TRY(cancel_.check());
  const std::chrono::duration<double> passed = Clock::now() - start_;
  if (request_.timeout && passed > *request_.timeout) {
    return too_slow("it took too long");
  }
  if (!request_.patience) {
    return {};
  }
  const auto patience = request_.stream ? *request_.patience + kUploadStall : *request_.patience;
  const bool trickles =
      passed >= patience && static_cast<double>(bytes) < passed.count() * kLeastBytesPerSecond;
  return trickles ? Status(too_slow(fmt::format("only {} bytes moved in {:.0f} seconds", bytes,
                                                passed.count())))
                  : Status();
}

Error WaitLimits::too_slow(std::string_view why) const {
  return make_error(ErrorKind::Unavailable, "{} {}: {}", request_.method,
                    without_query(request_.url), why)
      .with_errno(ETIMEDOUT);
}

Result<Fd> connect_here(std::string_view place, const WaitLimits& limits) {
  for (const Addresses& address : addresses_of(place)) {
    if (Fd socket = TRY(connect_to(*address, limits))) {
      return socket;
    }
  }
  return Fd();
}

Result<bool> PlainSocket::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (must_wait()) {
      TRY(limits_.wait(socket_.get(), POLLOUT));
    } else {
      return false;
    }
  }
  return true;
}

Result<bool> PlainSocket::fill() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == kSize && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == kSize) {
    return false;
  }
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), buffer_.get() + end_, kSize - end_, 0);
    if (count > 0) {
      end_ += static_cast<std::size_t>(count);
      received_ += static_cast<std::size_t>(count);
      TRY(limits_.check(received_));
      return true;
    }
    if (count == 0 || !must_wait()) {
      return false;
    }
    TRY(limits_.wait(socket_.get(), POLLIN));
  }
}

}  // namespace mybuild::registry
