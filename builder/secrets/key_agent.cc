// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/key_agent.h"

#include "builder/secrets/agent_protocol.h"

namespace mybuild::secrets {

namespace {

class KeyAgent final : public SshAgent {
 public:
  explicit KeyAgent(std::vector<SshKey> keys) : keys_(std::move(keys)) {}

  Result<std::string> ask(std::string_view request, const Cancel&) override {
    if (const auto to_sign = parse_sign_request(request)) {
      return sign(*to_sign);
    }
    WireWriter list(MessageType::IdentitiesAnswer);
    list.number(static_cast<std::uint32_t>(keys_.size()));
    for (const SshKey& key : keys_) {
      list.string(key.public_key()).string(key.comment());
    }
    return list.take();
  }

 private:
  Result<std::string> sign(const SignRequest& request) const {
    for (const SshKey& key : keys_) {
      if (key.public_key() == request.key) {
        const std::string signature = TRY(key.sign(request.data, request.flags));
        return WireWriter(MessageType::SignResponse).string(signature).take();
      }
    }
    return failure_message();
  }

  std::vector<SshKey> keys_;
};

}  // namespace

std::unique_ptr<SshAgent> make_key_agent(std::vector<SshKey> keys) {
  return std::make_unique<KeyAgent>(std::move(keys));
}

}  // namespace mybuild::secrets
