// SPDX-License-Identifier: Apache-2.0
// SshKey: a private key that signs as ssh wants it: Ed25519, RSA, or ECDSA over a NIST curve.
// Immutable, thread-safe; copies share the key.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace mybuild::secrets {

class SshKey {
 public:
  /// Fails for other kinds of keys.
  static Result<SshKey> wrap(std::shared_ptr<evp_pkey_st> key, std::string comment);

  /// The public key in ssh's form.
  const std::string& public_key() const { return public_key_; }
  const std::string& comment() const { return comment_; }
  /// `flags` choose the hash of an RSA signature, as in the agent protocol.
  Result<std::string> sign(std::string_view data, std::uint32_t flags) const;

 private:
  SshKey(std::shared_ptr<evp_pkey_st> key, std::string public_key, std::string comment)
      : key_(std::move(key)), public_key_(std::move(public_key)), comment_(std::move(comment)) {}
  std::shared_ptr<evp_pkey_st> key_;
  std::string public_key_;
  std::string comment_;
};

/// A key file: OpenSSH's own form or PEM, without a passphrase. `comment`: for forms that have
/// none.
Result<SshKey> parse_key_file(std::string_view text, const std::string& comment);

}  // namespace mybuild::secrets
