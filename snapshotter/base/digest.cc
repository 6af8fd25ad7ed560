// SPDX-License-Identifier: Apache-2.0
// OpenSSL 3 would have SHA-256 asked for by name: providers, their tables and configuration are
// then set up, which is a tenth of what a cached build does. The direct calls are the same code
// without.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "snapshotter/base/digest.h"

#include <openssl/sha.h>

#include <utility>

namespace mybuild {

namespace {

constexpr std::string_view kPrefix = "sha256:";

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
  SHA256_CTX state;
  Context() { SHA256_Init(&state); }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(ByteSpan data) {
  SHA256_Update(&context_->state, data.data(), data.size());
}

Digest Hasher::finish() {
  Digest digest;
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.bytes.data()), &context_->state);
  return digest;
}

}  // namespace mybuild
