// SPDX-License-Identifier: Apache-2.0
// mybuild-serve.so: listeners, a service and its upkeep, for as long as the program runs.
#include "builder/cache_server/http/http_server.h"
#include "builder/cache_server/protocol/local_token.h"
#include "builder/cache_server/service/request_metrics.h"
#include "builder/cache_server/service/service.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/sys.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace mybuild::cache_server {

namespace {

using Say = std::function<void(const std::string&)>;

constexpr std::chrono::seconds kUpkeep{5};

/// For uploads that wait for their next part, the database, and ourselves.
constexpr rlim_t kOwnDescriptors = 1200;

/// As many descriptors as the system lets us have, and how many connections those are good for:
/// each needs one for itself, and one for the blob that it reads or writes.
std::size_t connections_within_descriptors(std::size_t wanted, const Say& say) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return wanted;
  }
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t most = (limit.rlim_cur - std::min(limit.rlim_cur / 4, kOwnDescriptors)) / 2;
  if (wanted <= most) {
    return wanted;
  }
  say(fmt::format("there may be {} open files, so there will be {} connections at most",
                  limit.rlim_cur, most));
  return static_cast<std::size_t>(most);
}

/// The tokens that local clients find; they go with the server.
class LocalTokens {
 public:
  LocalTokens() = default;
  ~LocalTokens() {
    for (const std::string& path : paths_) {
      (void)sys::unlink_at(AT_FDCWD, path);
    }
  }
  LocalTokens(const LocalTokens&) = delete;
  LocalTokens& operator=(const LocalTokens&) = delete;

  Status publish(const Listener& listener, const std::string& token) {
    const std::string path = listener.socket_path.empty() ? local_token_path(listener.port)
                                                          : local_token_path(listener.socket_path);
    TRY(publish_local_token(path, token));
    paths_.push_back(path);
    return {};
  }

 private:
  std::vector<std::string> paths_;
};

class SocketFiles {
 public:
  explicit SocketFiles(const std::vector<Listener>& listeners) {
    for (const Listener& listener : listeners) {
      paths_.push_back(listener.socket_path);
    }
  }
  ~SocketFiles() {
    for (const std::string& path : paths_) {
      if (!path.empty()) {
        (void)sys::unlink_at(AT_FDCWD, path);
      }
    }
  }
  SocketFiles(const SocketFiles&) = delete;
  SocketFiles& operator=(const SocketFiles&) = delete;

 private:
  std::vector<std::string> paths_;
};

/// Does the upkeep while it lives.
class Upkeep {
 public:
  explicit Upkeep(Service& service) : thread_([this, &service] { run(service); }) {}
  ~Upkeep() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    over_.notify_all();
    thread_.join();
  }
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

 private:
  void run(Service& service) {
    std::unique_lock lock(mutex_);
    while (!over_.wait_for(lock, kUpkeep, [this] { return is_over_; })) {
      lock.unlock();
      service.upkeep([this] {
        const std::lock_guard guard(mutex_);
        return !is_over_;
      });
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

Result<std::vector<Listener>> listen_everywhere(const std::vector<std::string>& addresses) {
  std::vector<Listener> listeners;
  for (const std::string& text : addresses) {
    const ListenAddress address = TRY(parse_listen_address(text));
    Listener listener = TRY(listen_on(address));
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

std::string url_of(const Listener& listener, bool is_tls) {
  return listener.socket_path.empty() ? (is_tls ? "https://" : "http://") + listener.name
                                      : listener.name;
}

Result<bool> has_tokens(MetaStore& meta) {
  const Result<std::vector<TokenRow>> tokens = meta.access().tokens();
  if (!tokens) {
    return with_advice(tokens.error());
  }
  return std::any_of(tokens->begin(), tokens->end(),
                     [](const TokenRow& token) { return !token.revoked; });
}

/// What an administrator should know about who can come in, and how.
Status tell_about_strangers(const std::vector<Listener>& listeners, bool is_tls, MetaStore& meta,
                            const Say& say) {
  if (std::all_of(listeners.begin(), listeners.end(),
                  [](const Listener& listener) { return listener.is_local; })) {
    return {};
  }
  if (!is_tls) {
    say("WARNING: others can reach this server, and tokens travel in the clear: give --tls-cert "
        "and "
        "--tls-key, or put it behind a proxy that speaks TLS");
  }
  if (!TRY(has_tokens(meta))) {
    say("there are no tokens yet, so nobody from outside is let in: mybuild serve token create");
  }
  return {};
}

std::string line_of(const Served& served) {
  return fmt::format("{} {} {} in {} out {} in {:.1f} ms", served.method, served.path,
                     served.status, served.bytes_in, served.bytes_out,
                     std::chrono::duration<double, std::milli>(served.duration).count());
}

class Module final : public ServeModule {
 public:
  Status serve(const ServeOptions& options, Say say, const Cancel& cancel) override {
    const std::size_t max_connections =
        connections_within_descriptors(options.max_connections, say);
    const auto state = TRY(ServerState::open(options.directory));
    std::vector<Listener> listeners = TRY(listen_everywhere(options.listen));
    const SocketFiles sockets(listeners);
    const bool is_tls = !options.tls_certificate.empty();
    Service service(*state, options, say);
    LocalTokens local;
    for (const Listener& listener : listeners) {
      if (listener.is_local) {
        const std::string token = TRY(state->local_token(SystemClock().now()));
        TRY(local.publish(listener, token));
      }
    }
    TRY(tell_about_strangers(listeners, is_tls, state->meta(), say));
    std::vector<std::string> urls;
    for (const Listener& listener : listeners) {
      urls.push_back(url_of(listener, is_tls));
    }
    HttpSettings settings;
    settings.tls_certificate = options.tls_certificate;
    settings.tls_key = options.tls_key;
    settings.max_connections = max_connections;
    const auto http = TRY(make_http_server(settings, std::move(listeners), service.front(),
                                           [&service, &options, &say](const Served& served) {
                                             if (options.log_requests) {
                                               say(line_of(served));
                                             }
                                             report(service, served, say);
                                           }));
    service.metrics().show("mybuild_serve_connections", "Open connections.",
                           [&http] { return static_cast<double>(http->connections()); });
    const Upkeep upkeep(service);
    for (const std::string& url : urls) {
      say("listening on " + url);
    }
    return http->run(cancel);
  }

  Result<std::unique_ptr<ServerAdmin>> open_admin(const std::string& directory,
                                                  IfMissing if_missing) override {
    return open_server_admin(directory, if_missing);
  }

 private:
  static void report(Service& service, const Served& served, const Say& say) {
    if (!served.method.empty()) {
      count_request(service.metrics(), {.method = served.method,
                                        .path = served.path,
                                        .status = served.status,
                                        .bytes_in = served.bytes_in,
                                        .bytes_out = served.bytes_out,
                                        .duration = served.duration});
    }
    if (!served.note.empty()) {
      say(fmt::format("ERROR: {} {}: {}", served.method, served.path, served.note));
    }
  }
};

}  // namespace

}  // namespace mybuild::cache_server

extern "C" __attribute__((visibility("default"))) mybuild::cache_server::ServeModule*
mybuild_make_serve_module() {
  return std::make_unique<mybuild::cache_server::Module>().release();
}
