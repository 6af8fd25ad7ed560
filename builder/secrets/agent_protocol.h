// SPDX-License-Identifier: Apache-2.0
// The bytes of the ssh agent protocol and of ssh keys: strings behind their length, numbers big
// endian; and which requests a step may make. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::secrets {

/// Of a message, without its length: OpenSSH's own limit.
constexpr std::size_t kMaxMessage = std::size_t{256} << 10U;
constexpr std::size_t kLengthSize = 4;

enum class MessageType : std::uint8_t {
  Failure = 5,
  RequestIdentities = 11,
  IdentitiesAnswer = 12,
  SignRequest = 13,
  SignResponse = 14,
};

/// Takes fields from the front; nullopt when the bytes do not hold one.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  std::optional<std::uint8_t> byte();
  std::optional<std::uint32_t> number();
  std::optional<std::string_view> string();
  bool at_end() const { return rest_.empty(); }

 private:
  std::optional<std::string_view> take(std::size_t size);
  std::string_view rest_;
};

class WireWriter {
 public:
  WireWriter() = default;
  explicit WireWriter(MessageType type) : bytes_(1, static_cast<char>(type)) {}
  WireWriter& number(std::uint32_t value);
  WireWriter& string(std::string_view text);
  /// A positive number from its bytes, big endian.
  WireWriter& big_number(std::string_view bytes);
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

struct SignRequest {
  std::string_view key;  // the public key
  std::string_view data;
  std::uint32_t flags = 0;
};
std::optional<SignRequest> parse_sign_request(std::string_view message);

/// Listing keys and signing, well-formed; all else would change the agent or is unknown.
bool is_allowed(std::string_view request);
/// Is it an answer, and to that request?
bool is_answer(std::string_view request, std::string_view reply);
std::string failure_message();

}  // namespace mybuild::secrets
