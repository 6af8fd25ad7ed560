// SPDX-License-Identifier: Apache-2.0
// Digest: the name of some bytes, "sha256:<64 hex>" (OCI image-spec descriptor.md, "Digests"). A
// value type, ordered and hashable. Hasher computes one from a stream. Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mybuild {

struct Digest {
  std::array<std::byte, 32> bytes{};

  /// "sha256:<hex>"; any other algorithm is Unsupported, malformed text InvalidArgument.
  static Result<Digest> parse(std::string_view text);
  static Digest of(ByteSpan data);
  static Digest of(std::string_view text) { return of(as_bytes(text)); }

  std::string str() const;  // with "sha256:"
  std::string hex() const;  // without
  bool is_zero() const { return *this == Digest{}; }

  auto operator<=>(const Digest&) const = default;
};

/// Streaming SHA-256. update() any number of times, then finish() once.
class Hasher final : public Sink {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher() override;

  void update(ByteSpan data);
  void update(std::string_view text) { update(as_bytes(text)); }
  Status write(ByteSpan data) override {
    update(data);
    return {};
  }
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace mybuild

template <>
struct std::hash<mybuild::Digest> {
  std::size_t operator()(const mybuild::Digest& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};
