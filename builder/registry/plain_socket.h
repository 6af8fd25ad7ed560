// SPDX-License-Identifier: Apache-2.0
// PlainSocket: a connection to a server on this machine, whose waits end in time and with the
// build. Inside builder/registry. Thread-compatible.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/base/fd.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mybuild::registry {

/// How long one request may wait, as Request has it.
class WaitLimits {
 public:
  WaitLimits(const Request& request, const Cancel& cancel);

  /// Until the socket can do it (poll(2)). Unavailable with ETIMEDOUT when that took too long.
  Status wait(int socket, short what) const;
  /// For what never has to wait: Unavailable with ETIMEDOUT when the time for all is over, or it
  /// moves, but hardly.
  Status check(std::uint64_t bytes) const;

 private:
  using Clock = std::chrono::steady_clock;
  Error too_slow(std::string_view why) const;

  const Request& request_;
  const Cancel& cancel_;
  const std::chrono::milliseconds stall_;
  const Clock::time_point start_ = Clock::now();
};

/// To "host:port" in a URL of this machine; empty when nobody takes it.
Result<Fd> connect_here(std::string_view place, const WaitLimits& limits);

/// What is sent and read over a socket. A connection that broke is no error: it has ended.
class PlainSocket {
 public:
  PlainSocket(Fd socket, const WaitLimits& limits)
      : socket_(std::move(socket)), limits_(limits), buffer_(new char[kSize]) {}

  /// False: it ended before all was sent.
  Result<bool> send(std::string_view text);
  /// Reads more behind what is there. False: it has ended, or there is no room.
  Result<bool> fill();
  /// What was read and not taken.
  std::string_view there() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void drop(std::size_t count) { begin_ += count; }
  bool has_begun() const { return received_ > 0; }
  Fd release() { return std::move(socket_); }

 private:
  static constexpr std::size_t kSize = 256 << 10;

  Fd socket_;
  const WaitLimits& limits_;
  const std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace mybuild::registry
