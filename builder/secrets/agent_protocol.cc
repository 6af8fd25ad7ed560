// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/agent_protocol.h"

namespace mybuild::secrets {

namespace {

bool has_type(std::string_view message, MessageType type) {
  return !message.empty() && static_cast<std::uint8_t>(message[0]) == static_cast<unsigned>(type);
}

}  // namespace

std::optional<std::string_view> WireReader::take(std::size_t size) {
  if (size > rest_.size()) {
    return std::nullopt;
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::optional<std::uint8_t> WireReader::byte() {
  const auto taken = take(1);
  return taken ? std::optional(static_cast<std::uint8_t>((*taken)[0])) : std::nullopt;
}

std::optional<std::uint32_t> WireReader::number() {
  const auto taken = take(4);
  if (!taken) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  for (const char c : *taken) {
    value = value << 8U | static_cast<unsigned char>(c);
  }
  return value;
}

std::optional<std::string_view> WireReader::string() {
  const auto size = number();
  return size ? take(*size) : std::nullopt;
}

WireWriter& WireWriter::number(std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes_ += static_cast<char>(value >> shift & 0xffU);
  }
  return *this;
}

WireWriter& WireWriter::string(std::string_view text) {
  number(static_cast<std::uint32_t>(text.size()));
  bytes_ += text;
  return *this;
}

WireWriter& WireWriter::big_number(std::string_view bytes) {
  while (bytes.starts_with('\0')) {
    bytes.remove_prefix(1);
  }
  // The highest bit is a sign.
  const bool padded = !bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0;
  return string((padded ? std::string(1, '\0') : std::string()) + std::string(bytes));
}

std::optional<SignRequest> parse_sign_request(std::string_view message) {
  if (!has_type(message, MessageType::SignRequest)) {
    return std::nullopt;
  }
  WireReader reader(message.substr(1));
  const auto key = reader.string();
  const auto data = reader.string();
  const auto flags = reader.number();
  if (!key || !data || !flags || !reader.at_end()) {
    return std::nullopt;
  }
  return SignRequest{.key = *key, .data = *data, .flags = *flags};
}

bool is_allowed(std::string_view request) {
  const bool lists = has_type(request, MessageType::RequestIdentities) && request.size() == 1;
  return lists || parse_sign_request(request);
}

bool is_answer(std::string_view request, std::string_view reply) {
  const bool lists = has_type(request, MessageType::RequestIdentities);
  return has_type(reply, MessageType::Failure) ||
         has_type(reply, lists ? MessageType::IdentitiesAnswer : MessageType::SignResponse);
}

std::string failure_message() {
  return WireWriter(MessageType::Failure).take();
}

}  // namespace mybuild::secrets
