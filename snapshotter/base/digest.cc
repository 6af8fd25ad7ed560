// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/digest.h"

#include <openssl/evp.h>

#include <new>
#include <utility>

namespace mybuild {

namespace {

constexpr std::string_view kPrefix = "sha256:";

/// Fetched once: EVP_sha256() alone makes OpenSSL 3 look the algorithm up at each initialisation.
const EVP_MD* sha256() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return -1;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) {
    if (text.find(':') != std::string_view::npos) {
      return unsupported("digest algorithm of \"{}\": only sha256 is supported", text);
    }
    return invalid_argument("\"{}\" is not a digest", text);
  }
  const std::string_view hex = text.substr(kPrefix.size());
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) {
    return invalid_argument("digest \"{}\" does not have 64 hex digits", text);
  }
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return invalid_argument("digest \"{}\" does not have 64 lower-case hex digits", text);
    }
    digest.bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return digest;
}

Digest Digest::of(ByteSpan data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

std::string Digest::hex() const {
  return to_hex(bytes);
}
std::string Digest::str() const {
  return std::string(kPrefix) + hex();
}

struct Hasher::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() {
    if (evp == nullptr || EVP_DigestInit_ex2(evp, sha256(), nullptr) != 1) {
      throw std::bad_alloc();
    }
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(ByteSpan data) {
  EVP_DigestUpdate(context_->evp, data.data(), data.size());
}

Digest Hasher::finish() {
  Digest digest;
  EVP_DigestFinal_ex(context_->evp, reinterpret_cast<unsigned char*>(digest.bytes.data()), nullptr);
  return digest;
}

}  // namespace mybuild
