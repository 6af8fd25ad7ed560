// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/signature.h"

#include "builder/cache_server/protocol/wire.h"

#include <openssl/evp.h>

#include <algorithm>

namespace mybuild::cache_server {

namespace {

constexpr std::string_view kPrefix = "ed25519:";
constexpr std::size_t kSeed = 32;
constexpr std::size_t kSignature = 64;

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Context make_context() {
  return {EVP_MD_CTX_new(), &EVP_MD_CTX_free};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::shared_ptr<EVP_PKEY> own(EVP_PKEY* key) {
  return {key, &EVP_PKEY_free};
}

}  // namespace

std::string to_string(const PublicKey& key) {
  return std::string(kPrefix) +
         base64url_encode({reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()});
}

Result<PublicKey> parse_public_key(std::string_view text) {
  PublicKey key;
  const std::optional<std::string> bytes =
      text.starts_with(kPrefix) ? base64url_decode(text.substr(kPrefix.size())) : std::nullopt;
  if (!bytes || bytes->size() != key.bytes.size()) {
    return invalid_argument("\"{}\" is not a public key: ed25519: and 43 characters of base64url",
                            text);
  }
  std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
  return key;
}

Result<SigningKey> SigningKey::generate() {
  std::shared_ptr<EVP_PKEY> key = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (key == nullptr) {
    return internal_error("no key could be made");
  }
  return SigningKey(std::move(key));
}

Result<SigningKey> SigningKey::from_seed(std::string_view seed) {
  if (seed.size() != kSeed) {
    return invalid_argument("the seed of a key has {} bytes, not {}", kSeed, seed.size());
  }
  std::shared_ptr<EVP_PKEY> key =
      own(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size()));
  if (key == nullptr) {
    return internal_error("no key could be made of its seed");
  }
  return SigningKey(std::move(key));
}

std::string SigningKey::seed() const {
  std::string seed(kSeed, '\0');
  std::size_t size = seed.size();
  EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(seed.data()), &size);
  return seed;
}

PublicKey SigningKey::public_key() const {
  PublicKey key;
  std::size_t size = key.bytes.size();
  EVP_PKEY_get_raw_public_key(key_.get(), key.bytes.data(), &size);
  return key;
}

Result<std::string> SigningKey::sign(std::string_view text) const {
  const Context context = make_context();
  std::string signature(kSignature, '\0');
  std::size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(text), text.size()) != 1) {
    return internal_error("signing failed");
  }
  return signature;
}

bool verify(const PublicKey& key, std::string_view text, std::string_view signature) {
  // Zero is a point of small order: anybody could sign for a key that was never set.
  if (signature.size() != kSignature || key == PublicKey{}) {
    return false;
  }
  const std::shared_ptr<EVP_PKEY> owned = own(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()));
  const Context context = make_context();
  return owned != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, owned.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

}  // namespace mybuild::cache_server
