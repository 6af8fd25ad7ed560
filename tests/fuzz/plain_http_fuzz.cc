// SPDX-License-Identifier: Apache-2.0
// What a server on this machine answers: the whole of it, to a GET, and to an upload.
#include "builder/registry/plain_http.h"

#include "builder/registry/body.h"
#include "snapshotter/base/sys.h"
#include "tests/fuzz/fuzz.h"

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

namespace mybuild::fuzz {

namespace {

using registry::PlainHttp;
using registry::Request;
using registry::Response;

/// Gives one answer, whatever it is asked.
class Server {
 public:
  explicit Server(std::string_view answer) : answer_(answer) {
    struct sockaddr_in here {};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<struct sockaddr*>(&here);
    socklen_t size = sizeof here;
    require(::bind(listener_.get(), address, size) == 0 && ::listen(listener_.get(), 8) == 0 &&
                ::getsockname(listener_.get(), address, &size) == 0,
            "there is a port");
    url_ = fmt::format("http://127.0.0.1:{}/v2/", ntohs(here.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  const std::string& url() const { return url_; }

 private:
  void serve() const {
    for (;;) {
      const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) {
        return;
      }
      char request[4096];
      (void)::recv(client.get(), request, sizeof request, 0);
      (void)::send(client.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ::shutdown(client.get(), SHUT_WR);
      while (::recv(client.get(), request, sizeof request, 0) > 0) {
      }
    }
  }

  const std::string_view answer_;
  const Fd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string url_;
  std::thread thread_;
};

void ask(const std::string& method, std::string_view answer) {
  const Server server(answer);
  Request request;
  request.method = method;
  request.url = server.url();
  request.follow_redirects = method == "GET";
  registry::TextBody body(1 << 20);
  PlainHttp http;
  const Cancel cancel;
  const Result<std::optional<Response>> response = http.send(request, body, cancel);
  if (!response) {
    require(!response.error().message().empty(), "an error says something");
    return;
  }
  require(*response || method == "GET", "what may not be sent twice is not left to libcurl");
  if (*response) {
    require((*response)->status >= 200 && (*response)->status <= 999, "an answer has a status");
    require(body.text().size() + (*response)->error_text.size() <= answer.size(),
            "nothing is made up");
  }
}

}  // namespace

void run(std::string_view input) {
  ask("GET", input);
  ask("POST", input);
}

}  // namespace mybuild::fuzz
