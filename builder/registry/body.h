// SPDX-License-Identifier: Apache-2.0
// Where bodies of answers go: into memory with a limit, or, for a blob, through a check of size and
// digest into a sink that several answers may fill one after the other. Thread-compatible.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/oci/descriptor.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mybuild::registry {

class TextBody final : public BodySink {
 public:
  explicit TextBody(std::size_t limit) : limit_(limit) {}
  Status begin(const Response&) override {
    text_.clear();
    return {};
  }
  Status write(ByteSpan bytes) override;
  const std::string& text() const { return text_; }

 private:
  std::size_t limit_;
  std::string text_;
};

/// Who compares a blob's digest. Where the sink does it anyway, as the content store's, the body
/// does not, so that bytes are hashed once.
enum class DigestCheck { Here, BySink };

/// Bytes already passed on are never passed on again: an answer that starts over is skipped up to
/// where the last ended.
class BlobBody final : public BodySink {
 public:
  BlobBody(const oci::Descriptor& descriptor, Sink& sink, DigestCheck check = DigestCheck::Here)
      : descriptor_(descriptor), sink_(sink), check_(check) {}

  Status begin(const Response& response) override;
  Status write(ByteSpan bytes) override;
  std::uint64_t received() const { return received_; }
  bool complete() const { return received_ == descriptor_.size; }
  /// DataLoss unless all bytes came and have the descriptor's digest, if that is looked at. Once.
  Status verify();
  /// What made begin() or write() fail: the same place need not be asked again.
  const std::optional<Error>& refusal() const { return refusal_; }
  /// Whether another place can send the rest: no wrong byte was passed on, and the sink takes them.
  bool can_go_on() const;

 private:
  Status refuse(Error error);

  const oci::Descriptor& descriptor_;
  Sink& sink_;
  const DigestCheck check_;
  Hasher hasher_;
  std::uint64_t received_ = 0;
  std::uint64_t skip_ = 0;
  std::optional<Error> refusal_;
};

}  // namespace mybuild::registry
