// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/channel.h"

#include "builder/cache_server/http/tls.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mybuild::cache_server {

namespace {

/// A step of a transfer must be done within this.
constexpr std::chrono::seconds kStep{60};
constexpr std::size_t kScratch = 256 << 10;
constexpr std::size_t kCopyAtOnce = 64 << 10;
constexpr std::uint64_t kSendAtOnce = 8 << 20;  // then others have their turn on this thread
constexpr std::chrono::seconds kLinger{5};

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

Channel::Channel(const Strand& strand, std::shared_ptr<Peer> peer)
    : peer_(std::move(peer)), descriptor_(strand, peer_->fd()) {}

Channel::~Channel() {
  descriptor_.release();  // the peer owns it
}

awaitable<bool> Channel::greet() {
  co_return true;
}

awaitable<bool> Channel::wait(Need need) {
  if (need == Need::End) {
    co_return false;
  }
  using Descriptor = asio::posix::stream_descriptor;
  boost::system::error_code failed;
  co_await descriptor_.async_wait(
      need == Need::Read ? Descriptor::wait_read : Descriptor::wait_write,
      asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

/// Another thread of the reactor may wake us for bytes that were read before: taken for the
/// beginning of a request that would hold a buffer, and the connection would have to hurry.
awaitable<bool> Channel::readable() {
  char first = 0;
  while (!has_buffered()) {
    if (!co_await wait(Need::Read)) {
      co_return false;
    }
    const ssize_t got = ::recv(fd(), &first, 1, MSG_PEEK);
    if (got > 0) {
      co_return true;
    }
    if (got == 0 || !would_block(errno)) {
      co_return false;
    }
  }
  co_return true;
}

awaitable<std::string_view> Channel::read_shared(std::size_t most) {
  for (;;) {
    const std::span<char> whole = scratch(Scratch::Input);
    const std::span<char> buffer = whole.first(std::min(most, whole.size()));
    const Try tried = try_read(buffer);
    if (tried.need == Need::Nothing) {
      co_return std::string_view(buffer.data(), tried.bytes);
    }
    if (!co_await wait(tried.need)) {
      co_return std::string_view();
    }
  }
}

awaitable<bool> Channel::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const Try tried = try_write(bytes);
    if (tried.need == Need::Nothing) {
      bytes.remove_prefix(tried.bytes);
      peer_->expect_within(kStep);
    } else if (!co_await wait(tried.need)) {
      co_return false;
    }
  }
  co_return true;
}

awaitable<bool> Channel::write(const BlobRange& range) {
  if (sends_files() && range.blob->file() >= 0) {
    co_return co_await send_file(range);
  }
  co_return co_await send_copied(range);
}

awaitable<bool> Channel::send_file(const BlobRange& range) {
  std::uint64_t sent = 0;
  while (sent < range.size) {
    const Try tried =
        try_send(range.blob->file(), range.offset + sent, std::min(range.size - sent, kSendAtOnce));
    if (tried.need != Need::Nothing) {
      if (!co_await wait(tried.need)) {
        co_return false;
      }
      continue;
    }
    if (tried.bytes == 0) {
      co_return false;  // the file is shorter than it was
    }
    sent += tried.bytes;
    peer_->expect_within(kStep);
  }
  co_return true;
}

/// What the socket does not take is read again later: nobody holds a buffer for who is slow.
awaitable<bool> Channel::send_copied(const BlobRange& range) {
  std::uint64_t sent = 0;
  while (sent < range.size) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(kCopyAtOnce, range.size - sent));
    const std::span<char> buffer = scratch(Scratch::Output).first(wanted);
    const auto read = range.blob->read(range.offset + sent, std::as_writable_bytes(buffer));
    if (!read || *read == 0) {
      co_return false;
    }
    std::string_view bytes(buffer.data(), *read);
    Try tried;
    while (!bytes.empty() && tried.need == Need::Nothing) {
      tried = try_write(bytes);
      bytes.remove_prefix(tried.bytes);
    }
    if (bytes.size() < *read) {
      sent += *read - bytes.size();
      peer_->expect_within(kStep);
    }
    if (tried.need == Need::Nothing) {
      continue;
    }
    if (!co_await wait(tried.need)) {
      co_return false;
    }
  }
  co_return true;
}

/// Closing a socket while bytes of the client lie unread in it would take our answer back with them
/// (RFC 9112, 9.6).
awaitable<void> Channel::finish() {
  ::shutdown(fd(), SHUT_WR);
  peer_->expect_within(kLinger);
  std::vector<char> dropped(16 << 10);
  const auto give_up = SteadyClock::now() + kLinger;
  while (SteadyClock::now() < give_up) {
    if (!co_await wait(Need::Read)) {
      co_return;
    }
    const ssize_t got = ::recv(fd(), dropped.data(), dropped.size(), 0);
    if (got == 0 || (got < 0 && !would_block(errno))) {
      co_return;
    }
  }
}

Channel::Try Channel::try_read(std::span<char> buffer) {
  const ssize_t got = ::recv(fd(), buffer.data(), buffer.size(), 0);
  if (got >= 0) {
    return {.bytes = static_cast<std::size_t>(got), .need = Need::Nothing};
  }
  return {.bytes = 0, .need = would_block(errno) ? Need::Read : Need::End};
}

Channel::Try Channel::try_write(std::string_view bytes) {
  const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    return {.bytes = static_cast<std::size_t>(sent), .need = Need::Nothing};
  }
  return {.bytes = 0, .need = would_block(errno) ? Need::Write : Need::End};
}

Channel::Try Channel::try_send(int file, std::uint64_t offset, std::uint64_t size) {
  auto from = static_cast<off_t>(offset);
  const ssize_t sent = ::sendfile(fd(), file, &from, static_cast<std::size_t>(size));
  if (sent >= 0) {
    return {.bytes = static_cast<std::size_t>(sent), .need = Need::Nothing};
  }
  return {.bytes = 0, .need = would_block(errno) ? Need::Write : Need::End};
}

std::span<char> scratch(Scratch which) {
  thread_local std::vector<char> input(kScratch);
  thread_local std::vector<char> output(kScratch);
  return which == Scratch::Input ? input : output;
}

std::unique_ptr<Channel> make_channel(const Strand& strand, std::shared_ptr<Peer> peer,
                                      ssl_ctx_st* tls) {
  return tls != nullptr ? make_tls_channel(strand, std::move(peer), tls)
                        : std::make_unique<Channel>(strand, std::move(peer));
}

}  // namespace mybuild::cache_server
