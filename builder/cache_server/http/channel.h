// SPDX-License-Identifier: Apache-2.0
// Channel: the bytes of one connection, in the clear or under TLS. It tries a call on the socket
// first and waits for the kernel only when that would block; a connection that waits holds no
// buffer. How long it may take is the Peer's business. Used on one strand.
#pragma once

#include "builder/cache_server/exchange.h"
#include "builder/cache_server/http/asio.h"
#include "builder/cache_server/http/peer.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

struct ssl_ctx_st;

namespace mybuild::cache_server {

class Channel {
 public:
  Channel(const Strand& strand, std::shared_ptr<Peer> peer);
  virtual ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  virtual bool is_tls() const { return false; }
  // All of them: false, or no bytes, when the connection is at its end, whatever the reason.
  virtual awaitable<bool> greet();
  awaitable<bool> readable();
  /// At most `most` bytes, in a buffer that the thread has for all connections: they hold until the
  /// next co_await of the caller.
  awaitable<std::string_view> read_shared(std::size_t most);
  awaitable<bool> write(std::string_view bytes);
  awaitable<bool> write(const BlobRange& range);
  /// Says that nothing more comes, and waits until the client has read what was sent.
  awaitable<void> finish();

 protected:
  enum class Need { Nothing, Read, Write, End };
  struct Try {
    std::size_t bytes = 0;
    Need need = Need::Nothing;
  };
  virtual Try try_read(std::span<char> buffer);
  virtual Try try_write(std::string_view bytes);
  virtual Try try_send(int file, std::uint64_t offset, std::uint64_t size);
  /// Whether decrypted bytes wait that the kernel knows nothing of.
  virtual bool has_buffered() const { return false; }
  virtual bool sends_files() const { return true; }
  awaitable<bool> wait(Need need);
  int fd() const { return peer_->fd(); }
  Peer& peer() { return *peer_; }

 private:
  awaitable<bool> send_file(const BlobRange& range);
  awaitable<bool> send_copied(const BlobRange& range);

  const std::shared_ptr<Peer> peer_;
  asio::posix::stream_descriptor descriptor_;
};

/// Room of the calling thread, for what is used up before the next co_await: who waits holds none.
enum class Scratch { Input, Output };
std::span<char> scratch(Scratch which);

/// `tls` may be null: in the clear.
std::unique_ptr<Channel> make_channel(const Strand& strand, std::shared_ptr<Peer> peer,
                                      ssl_ctx_st* tls);

}  // namespace mybuild::cache_server
