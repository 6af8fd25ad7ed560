// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032) on libcrypto: the key with which a server vouches for the records of one
// namespace, and its public half, which clients know from elsewhere. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace mybuild::cache_server {

struct PublicKey {
  std::array<unsigned char, 32> bytes{};
  auto operator<=>(const PublicKey&) const = default;
};

/// "ed25519:" and 43 characters of base64url, as people copy it.
std::string to_string(const PublicKey& key);
Result<PublicKey> parse_public_key(std::string_view text);

class SigningKey {
 public:
  static Result<SigningKey> generate();
  /// 32 bytes, as seed() gave them.
  static Result<SigningKey> from_seed(std::string_view seed);
  std::string seed() const;
  PublicKey public_key() const;
  /// 64 bytes.
  Result<std::string> sign(std::string_view text) const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

/// Of anything from outside; what is no signature at all is a wrong one, and for the
/// key that is zero all are.
bool verify(const PublicKey& key, std::string_view text, std::string_view signature);

}  // namespace mybuild::cache_server
