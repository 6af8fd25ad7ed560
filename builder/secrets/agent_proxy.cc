// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/agent_proxy.h"

#include "builder/secrets/agent_protocol.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <list>
#include <thread>

namespace mybuild::secrets {

namespace {

constexpr std::size_t kMaxConnections = 64;

/// One client: a request comes in, then its answer goes out, then the next.
class Connection {
 public:
  Connection(Fd socket, SshAgent& agent) : socket_(std::move(socket)), agent_(agent) {}

  struct pollfd wanted() const {
    const short events = out_.empty() ? POLLIN : POLLOUT;
    return {.fd = socket_.get(), .events = events, .revents = 0};
  }

  /// False when the conversation is over.
  bool advance(const Cancel& stop) { return out_.empty() ? receive(stop) : send(); }

 private:
  /// Bytes that the request has all in all, as far as is known; 0 for one that is not possible.
  std::size_t expected() const {
    if (in_.size() < kLengthSize) {
      return kLengthSize;
    }
    const std::uint32_t length = *WireReader(in_).number();
    return length == 0 || length > kMaxMessage ? 0 : kLengthSize + length;
  }

  bool receive(const Cancel& stop) {
    std::array<char, 16384> buffer;
    const std::size_t wanted = std::min(expected() - in_.size(), buffer.size());
    const ssize_t size = ::recv(socket_.get(), buffer.data(), wanted, MSG_DONTWAIT);
    if (size <= 0) {
      return size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    in_.append(buffer.data(), static_cast<std::size_t>(size));
    const std::size_t whole = expected();
    if (whole == 0) {
      return false;
    }
    if (in_.size() == whole && whole > kLengthSize) {
      out_ = WireWriter().string(answer(stop)).take();
      in_.clear();
    }
    return true;
  }

  std::string answer(const Cancel& stop) {
    const std::string_view request = std::string_view(in_).substr(kLengthSize);
    if (!is_allowed(request)) {
      return failure_message();
    }
    Result<std::string> reply = agent_.ask(request, stop);
    return reply && reply->size() <= kMaxMessage && is_answer(request, *reply)
               ? std::move(reply).value()
               : failure_message();
  }

  bool send() {
    const ssize_t size =
        ::send(socket_.get(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    out_.erase(0, static_cast<std::size_t>(size));
    return true;
  }

  Fd socket_;
  SshAgent& agent_;
  std::string in_;
  std::string out_;
};

class ThreadedProxy final : public AgentProxy {
 public:
  ThreadedProxy(std::vector<Served> served, Fd news)
      : served_(std::move(served)), news_(std::move(news)), thread_([this] { serve(); }) {}
  ~ThreadedProxy() override {
    stop_.request(Error(ErrorKind::Cancelled, "the step is over"));
    thread_.join();
  }

 private:
  void serve() {
    while (!stop_.requested()) {
      accept_all();
      std::vector<struct pollfd> entries = {{.fd = stop_.fd(), .events = POLLIN, .revents = 0},
                                            {.fd = news_.get(), .events = POLLIN, .revents = 0}};
      for (const Connection& connection : connections_) {
        entries.push_back(connection.wanted());
      }
      if (::poll(entries.data(), entries.size(), -1) <= 0) {
        continue;
      }
      forget_news();
      auto entry = entries.begin() + 2;
      std::erase_if(connections_, [this, &entry](Connection& connection) {
        return (entry++)->revents != 0 && !connection.advance(stop_);
      });
    }
  }

  void accept_all() {
    for (const Served& served : served_) {
      while (connections_.size() < kMaxConnections) {
        Fd client(::accept4(served.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client) {
          break;  // nobody waits, or the socket does not listen yet
        }
        connections_.emplace_back(std::move(client), *served.agent);
      }
    }
  }

  void forget_news() {
    std::array<struct epoll_event, 16> events;
    while (::epoll_wait(news_.get(), events.data(), events.size(), 0) > 0) {
    }
  }

  std::vector<Served> served_;
  Fd news_;  // an epoll that tells each change at one of `served_` once
  Cancel stop_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace

Result<Fd> AgentProxy::open_socket() {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return os_error(errno, "make a socket");
  }
  return socket;
}

Result<std::unique_ptr<AgentProxy>> AgentProxy::start(std::vector<Served> served) {
  Fd news(::epoll_create1(EPOLL_CLOEXEC));
  if (!news) {
    return os_error(errno, "make an epoll");
  }
  for (const Served& one : served) {
    // By edge: a socket that does not listen yet counts as hung up all the time.
    struct epoll_event event {};
    event.events = EPOLLIN | EPOLLET;
    if (::epoll_ctl(news.get(), EPOLL_CTL_ADD, one.socket.get(), &event) < 0) {
      return os_error(errno, "watch a socket");
    }
  }
  return std::unique_ptr<AgentProxy>(
      std::make_unique<ThreadedProxy>(std::move(served), std::move(news)));
}

}  // namespace mybuild::secrets
