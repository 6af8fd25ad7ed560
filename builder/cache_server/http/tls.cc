// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <climits>
#include <cstring>

namespace mybuild::cache_server {

namespace {

constexpr std::chrono::seconds kHandshake{20};

std::string last_words() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) {
    return std::strerror(ERR_GET_REASON(code));
  }
  const char* const words = ERR_reason_error_string(code);
  return words != nullptr ? words : "unknown error";
}

/// A key that needs a passphrase is refused; OpenSSL would ask for it at the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(const Strand& strand, std::shared_ptr<Peer> socket, ssl_ctx_st* context)
      : Channel(strand, std::move(socket)), ssl_(SSL_new(context)) {
    SSL_set_fd(ssl_.get(), fd());
    SSL_set_accept_state(ssl_.get());
  }

  bool is_tls() const override { return true; }

  awaitable<bool> greet() override {
    peer().expect_within(kHandshake);
    for (;;) {
      const Try tried = outcome(SSL_do_handshake(ssl_.get()));
      if (tried.need == Need::Nothing) {
        co_return true;
      }
      if (!co_await wait(tried.need)) {
        co_return false;
      }
    }
  }

 protected:
  bool has_buffered() const override { return SSL_has_pending(ssl_.get()) == 1; }
  bool sends_files() const override { return false; }

  Try try_read(std::span<char> buffer) override {
    const int size = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
    return outcome(SSL_read(ssl_.get(), buffer.data(), size));
  }

  Try try_write(std::string_view bytes) override {
    const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    return outcome(SSL_write(ssl_.get(), bytes.data(), size));
  }

 private:
  struct Deleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  Try outcome(int result) {
    if (result > 0) {
      return {.bytes = static_cast<std::size_t>(result), .need = Need::Nothing};
    }
    const int error = SSL_get_error(ssl_.get(), result);
    ERR_clear_error();  // the queue belongs to the thread, which serves others next
    switch (error) {
      case SSL_ERROR_WANT_READ:
        return {.bytes = 0, .need = Need::Read};
      case SSL_ERROR_WANT_WRITE:
        return {.bytes = 0, .need = Need::Write};
      default:
        return {.bytes = 0, .need = Need::End};
    }
  }

  std::unique_ptr<SSL, Deleter> ssl_;
};

}  // namespace

void TlsContextDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsContext> make_tls_context(const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) {
    return internal_error("TLS: {}", last_words());
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    return invalid_argument("{}: {}", certificate, last_words())
        .with_hint("--tls-cert wants a PEM file: the certificate, then those above it");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return invalid_argument("{}: {}", key, last_words())
        .with_hint(
            "--tls-key wants the PEM file of the key that belongs to --tls-cert, without a "
            "passphrase");
  }
  return context;
}

std::unique_ptr<Channel> make_tls_channel(const Strand& strand, std::shared_ptr<Peer> peer,
                                          ssl_ctx_st* context) {
  return std::make_unique<TlsChannel>(strand, std::move(peer), context);
}

}  // namespace mybuild::cache_server
