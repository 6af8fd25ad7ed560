// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/plain_head.h"

#include "builder/registry/http_text.h"
#include "builder/registry/url.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/log.h"
#include "snapshotter/oci/reference.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <vector>

namespace mybuild::registry {

namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
using Clock = std::chrono::steady_clock;

/// "host:port" of a URL that is_plain_head() took.
std::string host_of(const std::string& url) {
  return origin_of(url).substr(kScheme.size());
}

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

/// One exchange with a server that is expected to be there.
class Exchange {
 public:
  Exchange(const Request& request, const Cancel& cancel) : request_(request), cancel_(cancel) {
    std::chrono::milliseconds longest = request.stall;
    if (request.timeout) {
      longest = std::min(longest, *request.timeout);
    }
    end_ = Clock::now() + longest;
  }

  /// The head of the answer, to its empty line; nullopt: no such thing came.
  Result<std::optional<std::string>> run() {
    for (const Addresses& address : addresses_of(host_of(request_.url))) {
      if (TRY(connect(*address)) && send()) {
        return receive();
      }
    }
    return std::optional<std::string>();
  }

 private:
  Result<bool> connect(const addrinfo& address) {
    socket_ = Fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(socket_.get(), address.ai_addr, address.ai_addrlen) == 0) {
      return true;
    }
    if (errno != EINPROGRESS) {
      return false;
    }
    TRY(wait(POLLOUT));
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }

  /// A new connection takes so little in one piece.
  bool send() {
    const std::string host = host_of(request_.url);
    std::string text =
        fmt::format("HEAD {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n",
                    request_.url.substr(kScheme.size() + host.size()), host, user_agent());
    for (const std::string& header : request_.headers) {
      if (is_one_line(header)) {
        text += header + "\r\n";
      }
    }
    text += "Connection: close\r\n\r\n";
    const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(text.size());
  }

  Result<std::optional<std::string>> receive() {
    std::string head;
    char buffer[4096];
    while (head.size() < kMaxHeaderBytes) {
      TRY(wait(POLLIN));
      const ssize_t count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (count <= 0) {
        return std::optional<std::string>();
      }
      const std::size_t searched = head.size() - std::min(head.size(), kEndOfHead.size() - 1);
      head.append(buffer, static_cast<std::size_t>(count));
      if (const std::size_t end = head.find(kEndOfHead, searched); end != std::string::npos) {
        head.resize(end);
        return std::optional(std::move(head));
      }
    }
    return std::optional<std::string>();
  }

  Status wait(short what) {
    pollfd watched[] = {{socket_.get(), what, 0}, {cancel_.fd(), POLLIN, 0}};
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
      const int ready = ::poll(watched, 2, std::max(0, static_cast<int>(left.count())));
      TRY(cancel_.check());
      if (ready > 0) {
        return {};
      }
      if (ready == 0) {
        return make_error(ErrorKind::Unavailable, "{} {}: no answer came in time", request_.method,
                          without_query(request_.url))
            .with_errno(ETIMEDOUT);
      }
    }
  }

  const Request& request_;
  const Cancel& cancel_;
  Clock::time_point end_;
  Fd socket_;
};

/// nullopt: not what HTTP/1 is, or no final answer.
std::optional<Response> parse_head(std::string_view head) {
  const std::string_view status_line = head.substr(0, head.find("\r\n"));
  Response response;
  if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12) {
    return std::nullopt;
  }
  const char* const digits = status_line.data() + 9;  // behind "HTTP/1.1 "
  const auto [at, bad] = std::from_chars(digits, digits + 3, response.status);
  if (bad != std::errc() || at != digits + 3 || response.status < 200) {
    return std::nullopt;
  }
  response.reason = reason_of(status_line);
  for (std::size_t start = status_line.size(); start < head.size();) {
    start += 2;
    const std::size_t end = std::min(head.find("\r\n", start), head.size());
    add_header(response, head.substr(start, end - start));
    start = end;
  }
  return response;
}

bool leads_elsewhere(const Request& request, const Response& response) {
  return request.follow_redirects && response.status >= 300 && response.status < 400;
}

}  // namespace

bool is_plain_head(const Request& request) {
  const auto is_strange = [](char c) { return c <= ' ' || c == '#' || c == 0x7f; };
  const std::string origin = origin_of(request.url);
  return request.method == "HEAD" && request.unix_socket.empty() && !request.stream &&
         origin.starts_with(kScheme) && oci::is_loopback(origin.substr(kScheme.size())) &&
         request.url.starts_with(origin + "/") &&
         std::none_of(request.url.begin(), request.url.end(), is_strange);
}

Result<std::optional<Response>> ask_plainly(const Request& request, BodySink& body,
                                            const Cancel& cancel) {
  TRY(cancel.check());
  Exchange exchange(request, cancel);
  const auto head = TRY(exchange.run());
  std::optional<Response> response = head ? parse_head(*head) : std::nullopt;
  if (!response || leads_elsewhere(request, *response)) {
    return std::optional<Response>();
  }
  response->origin = origin_of(request.url);
  log::debug("{} {}: {}", request.method, without_query(request.url), response->status);
  if (response->ok()) {
    TRY(body.begin(*response));
  }
  return response;
}

}  // namespace mybuild::registry
