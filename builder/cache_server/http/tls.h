// SPDX-License-Identifier: Apache-2.0
// TLS on the server's side, by OpenSSL on the socket itself: an idle connection holds no record
// buffers.
#pragma once

#include "builder/cache_server/http/channel.h"
#include "snapshotter/base/result.h"

#include <memory>
#include <string>

namespace mybuild::cache_server {

struct TlsContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextDeleter>;

/// TLS 1.2 or newer. Both are PEM files: the certificate with those above it, and its key. Errors
/// name the file.
Result<TlsContext> make_tls_context(const std::string& certificate, const std::string& key);

std::unique_ptr<Channel> make_tls_channel(const Strand& strand, std::shared_ptr<Peer> peer,
                                          ssl_ctx_st* context);

}  // namespace mybuild::cache_server
