// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/token.h"

#include "builder/cache_server/protocol/local_token.h"
#include "snapshotter/base/log.h"

#include <algorithm>

namespace mybuild::cache_client {

namespace {

std::string token_of_login(const ServerAddress& address, registry::CredentialSource& logins,
                           const Cancel& cancel) {
  const std::string space = address.space == kOwnSpace ? std::string() : address.space;
  const auto login = logins.find(address.host, space, cancel);
  if (!login) {
    log::debug("login for the cache server: {}", login.error().message());
  }
  return login && *login ? (*login)->password : std::string();
}

std::string token_of_this_machine(const ServerAddress& address) {
  if (!address.socket.empty()) {
    return cache_server::is_our_socket(address.socket)
               ? cache_server::read_local_token(cache_server::local_token_path(address.socket))
               : std::string();
  }
  return address.is_local() && cache_server::is_our_port(address.port)
             ? cache_server::read_local_token(cache_server::local_token_path(address.port))
             : std::string();
}

}  // namespace

std::string find_token(const ServerAddress& address, const std::string& given,
                       registry::CredentialSource* logins, const Cancel& cancel) {
  std::string token = given;
  if (token.empty() && logins != nullptr && address.socket.empty()) {
    token = token_of_login(address, *logins, cancel);
  }
  if (token.empty()) {
    token = token_of_this_machine(address);
  }
  // It goes into a header.
  const bool is_word =
      std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  return is_word ? token : std::string();
}

}  // namespace mybuild::cache_client
