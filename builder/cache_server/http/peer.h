// SPDX-License-Identifier: Apache-2.0
// The sockets of all connections, as who watches over them sees them: each has a time by which it
// must have moved, and is shut down when that is over, so that no connection needs a timer of its
// own. Thread-safe.
#pragma once

#include "snapshotter/base/fd.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

namespace mybuild::cache_server {

using SteadyClock = std::chrono::steady_clock;

/// One connection's socket. `is_idle`: between two requests, and before the first one's head is
/// whole: when nothing is lost that a client could not ask again.
class Peer {
 public:
  explicit Peer(Fd socket) : socket_(std::move(socket)) {}
  int fd() const { return socket_.get(); }
  /// Of who is at the other end, without a port: "" on sockets of the file system.
  std::string address() const;
  void expect_within(std::chrono::seconds time);
  void set_idle(bool is_idle) { is_idle_ = is_idle; }
  bool is_idle() const { return is_idle_; }
  SteadyClock::time_point deadline() const { return deadline_; }
  /// Whoever reads or writes sees the end of the connection.
  void shut_down();

 private:
  const Fd socket_;
  std::atomic<SteadyClock::time_point> deadline_{SteadyClock::time_point::max()};
  std::atomic<bool> is_idle_{true};
};

class PeerList {
 public:
  explicit PeerList(std::size_t limit) : limit_(limit) {}
  /// Beyond the limit the one that is idle for longest has to go; null when none is idle.
  std::shared_ptr<Peer> add(Fd socket);
  void remove(const std::shared_ptr<Peer>& peer);
  void shut_down_expired(SteadyClock::time_point now);
  void shut_down_idle();
  void shut_down_all();
  std::size_t size();

 private:
  bool make_room();

  const std::size_t limit_;
  std::mutex mutex_;
  std::unordered_set<std::shared_ptr<Peer>> peers_;
};

}  // namespace mybuild::cache_server
