// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/ssh_key.h"

#include "builder/secrets/agent_protocol.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <array>
#include <vector>

namespace mybuild::secrets {

namespace {

constexpr std::uint32_t kRsaSha256 = 2;  // flags of a request
constexpr std::uint32_t kRsaSha512 = 4;

struct Curve {
  std::string_view ssh;      // as in "ecdsa-sha2-…"
  std::string_view openssl;  // its group
  const char* hash;
};
constexpr std::array kCurves = {Curve{"nistp256", "prime256v1", "SHA256"},
                                Curve{"nistp384", "secp384r1", "SHA384"},
                                Curve{"nistp521", "secp521r1", "SHA512"}};

Error openssl_failed(std::string_view what) {
  return internal_error("{}: OpenSSL refuses the key", what);
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string to_bytes(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes;
}

Result<std::string> number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
    return openssl_failed(name);
  }
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owner(number, &BN_free);
  return to_bytes(number);
}

const Curve* curve_of(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) {
    return nullptr;
  }
  for (const Curve& curve : kCurves) {
    if (curve.openssl == std::string_view(group.data(), size)) {
      return &curve;
    }
  }
  return nullptr;
}

Result<std::string> rsa_public(const EVP_PKEY* key) {
  const std::string exponent = TRY(number_of(key, OSSL_PKEY_PARAM_RSA_E));
  const std::string modulus = TRY(number_of(key, OSSL_PKEY_PARAM_RSA_N));
  return WireWriter().string("ssh-rsa").big_number(exponent).big_number(modulus).take();
}

Result<std::string> ed25519_public(const EVP_PKEY* key) {
  std::array<unsigned char, 32> point{};
  std::size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1) {
    return openssl_failed("ed25519");
  }
  const std::string_view text(reinterpret_cast<const char*>(point.data()), size);
  return WireWriter().string("ssh-ed25519").string(text).take();
}

std::string ecdsa_name(const Curve& curve) {
  return fmt::format("ecdsa-sha2-{}", curve.ssh);
}

/// The point uncompressed, however the file had it.
Result<std::string> ecdsa_public(const EVP_PKEY* key) {
  const Curve* curve = curve_of(key);
  if (curve == nullptr) {
    return unsupported("ssh knows no such elliptic curve");
  }
  const std::string x = TRY(number_of(key, OSSL_PKEY_PARAM_EC_PUB_X));
  const std::string y = TRY(number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y));
  const auto width = static_cast<std::size_t>(EVP_PKEY_get_bits(key) + 7) / 8;
  std::string point = "\x04";
  point += std::string(width - x.size(), '\0') + x + std::string(width - y.size(), '\0') + y;
  return WireWriter().string(ecdsa_name(*curve)).string(curve->ssh).string(point).take();
}

/// `hash`: null for Ed25519, which hashes itself.
Result<std::string> raw_signature(EVP_PKEY* key, const char* hash, std::string_view data) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  std::size_t size = 0;
  if (context == nullptr ||
      EVP_DigestSignInit_ex(context.get(), nullptr, hash, nullptr, nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(data), data.size()) != 1) {
    return openssl_failed("sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(data), data.size()) != 1) {
    return openssl_failed("sign");
  }
  signature.resize(size);
  return signature;
}

Result<std::string> rsa_signature(EVP_PKEY* key, std::string_view data, std::uint32_t flags) {
  const char* name = "ssh-rsa";
  const char* hash = "SHA1";
  if ((flags & kRsaSha512) != 0) {
    name = "rsa-sha2-512";
    hash = "SHA512";
  } else if ((flags & kRsaSha256) != 0) {
    name = "rsa-sha2-256";
    hash = "SHA256";
  }
  const std::string signature = TRY(raw_signature(key, hash, data));
  return WireWriter().string(name).string(signature).take();
}

Result<std::string> ecdsa_signature(EVP_PKEY* key, std::string_view data) {
  const Curve& curve = *curve_of(key);
  const std::string der = TRY(raw_signature(key, curve.hash, data));
  const unsigned char* next = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
      d2i_ECDSA_SIG(nullptr, &next, static_cast<long>(der.size())), &ECDSA_SIG_free);
  if (pair == nullptr) {
    return openssl_failed("sign");
  }
  const std::string numbers = WireWriter()
                                  .big_number(to_bytes(ECDSA_SIG_get0_r(pair.get())))
                                  .big_number(to_bytes(ECDSA_SIG_get0_s(pair.get())))
                                  .take();
  return WireWriter().string(ecdsa_name(curve)).string(numbers).take();
}

}  // namespace

Result<SshKey> SshKey::wrap(std::shared_ptr<evp_pkey_st> key, std::string comment) {
  Result<std::string> shown = unsupported("ssh knows no such kind of key");
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      shown = rsa_public(key.get());
      break;
    case EVP_PKEY_EC:
      shown = ecdsa_public(key.get());
      break;
    case EVP_PKEY_ED25519:
      shown = ed25519_public(key.get());
      break;
    default:
      break;
  }
  std::string public_key = TRY(std::move(shown));
  return SshKey(std::move(key), std::move(public_key), std::move(comment));
}

Result<std::string> SshKey::sign(std::string_view data, std::uint32_t flags) const {
  switch (EVP_PKEY_get_base_id(key_.get())) {
    case EVP_PKEY_RSA:
      return rsa_signature(key_.get(), data, flags);
    case EVP_PKEY_EC:
      return ecdsa_signature(key_.get(), data);
    default:
      break;
  }
  const std::string signature = TRY(raw_signature(key_.get(), nullptr, data));
  return WireWriter().string("ssh-ed25519").string(signature).take();
}

}  // namespace mybuild::secrets
