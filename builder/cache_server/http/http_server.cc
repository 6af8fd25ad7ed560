// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/http_server.h"

#include "builder/cache_server/http/connection.h"
#include "builder/cache_server/http/tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mybuild::cache_server {

namespace {

using Descriptor = asio::posix::stream_descriptor;

constexpr std::chrono::seconds kWatch{1};
constexpr std::chrono::milliseconds kNoDescriptors{100};
constexpr std::chrono::milliseconds kStopStep{10};
constexpr std::chrono::milliseconds kLastWords{500};  // for coroutines whose sockets were shut down

/// Handlers wait for the disk now and then, so there are more threads than cores.
unsigned thread_count() {
  return std::max(8U, 2 * std::thread::hardware_concurrency());
}

class BeastServer final : public HttpServer {
 public:
  BeastServer(const HttpSettings& settings, std::vector<Listener> listeners, Handler& handler,
              std::function<void(const Served&)> on_served, TlsContext tls)
      : settings_(settings),
        listeners_(std::move(listeners)),
        on_served_(std::move(on_served)),
        tls_(std::move(tls)),
        memory_(settings.max_body_memory),
        peers_(settings.max_connections),
        deps_{.settings = settings_,
              .handler = handler,
              .on_served = on_served_,
              .is_stopping = is_stopping_,
              .memory = memory_} {}

  std::size_t connections() override { return peers_.size(); }

  Status run(const Cancel& cancel) override {
    for (const Listener& listener : listeners_) {
      asio::co_spawn(context_, accept(listener), asio::detached);
    }
    asio::co_spawn(asio::make_strand(context_), watch(cancel), asio::detached);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thread_count(); ++i) {
      threads.emplace_back([this] { context_.run(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return {};
  }

 private:
  awaitable<void> accept(const Listener& listener) {
    Descriptor waiter(co_await asio::this_coro::executor, ::dup(listener.socket.get()));
    while (!is_stopping_) {
      const int fd =
          ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0) {
        welcome(Fd(fd), listener.socket_path.empty());
        continue;
      }
      const int why = errno;
      boost::system::error_code error;
      if (why == EAGAIN) {
        co_await waiter.async_wait(Descriptor::wait_read,
                                   asio::redirect_error(asio::use_awaitable, error));
      } else if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
        asio::steady_timer timer(co_await asio::this_coro::executor, kNoDescriptors);
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
    }
  }

  void welcome(Fd socket, bool is_tcp) {
    const int on = 1;
    if (is_tcp) {
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    const std::shared_ptr<Peer> peer = peers_.add(std::move(socket));
    if (peer == nullptr) {
      return;
    }
    const Strand strand = asio::make_strand(context_);
    asio::co_spawn(strand, serve(strand, peer, is_tcp ? tls_.get() : nullptr),
                   [this, peer](const std::exception_ptr& failure) {
                     peers_.remove(peer);
                     if (failure) {  // a bug, or no memory: this connection's alone
                       Served served;
                       served.note = "a connection ended by an exception";
                       on_served_(served);
                     }
                   });
  }

  awaitable<void> serve(Strand strand, std::shared_ptr<Peer> peer, ssl_ctx_st* tls) {
    co_await serve_connection(make_channel(strand, peer, tls), peer, deps_);
  }

  /// Ends what has been too slow, and everything when the server has to stop.
  awaitable<void> watch(const Cancel& cancel) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    Descriptor stop(co_await asio::this_coro::executor, ::dup(cancel.fd()));
    stop.async_wait(Descriptor::wait_read,
                    [&timer](const boost::system::error_code&) { timer.cancel(); });
    boost::system::error_code woken;
    while (!cancel.requested()) {
      timer.expires_after(kWatch);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      peers_.shut_down_expired(SteadyClock::now());
    }
    is_stopping_ = true;
    const auto grace_end = SteadyClock::now() + settings_.stop_grace;
    while (peers_.size() > 0 && SteadyClock::now() < grace_end + kLastWords) {
      if (SteadyClock::now() < grace_end) {
        peers_.shut_down_idle();
      } else {
        peers_.shut_down_all();
      }
      timer.expires_after(kStopStep);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    context_.stop();
  }

  const HttpSettings settings_;
  const std::vector<Listener> listeners_;
  const std::function<void(const Served&)> on_served_;
  const TlsContext tls_;
  std::atomic<bool> is_stopping_{false};
  BodyMemory memory_;
  PeerList peers_;
  const ConnectionDeps deps_;
  asio::io_context context_;  // last: coroutines that are left over go with it, and use the others
};

}  // namespace

Result<std::unique_ptr<HttpServer>> make_http_server(const HttpSettings& settings,
                                                     std::vector<Listener> listeners,
                                                     Handler& handler,
                                                     std::function<void(const Served&)> on_served) {
  TlsContext tls;
  if (!settings.tls_certificate.empty()) {
    tls = TRY(make_tls_context(settings.tls_certificate, settings.tls_key));
  }
  return std::unique_ptr<HttpServer>(std::make_unique<BeastServer>(
      settings, std::move(listeners), handler, std::move(on_served), std::move(tls)));
}

}  // namespace mybuild::cache_server
