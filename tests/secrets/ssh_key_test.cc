// SPDX-License-Identifier: Apache-2.0
// That real ssh programs take the signatures is e2e's matter (ssh.sh); here: the forms, and bad
// bytes.
#include "builder/secrets/agent_protocol.h"
#include "builder/secrets/key_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::secrets {
namespace {

using testing::HasSubstr;

// Made for this test.
constexpr std::string_view kKey = R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDB2XV+ocNoDXYYeEwMcsFRiXKpaX0GVMWr3/FwkapKlAAAAJhH7NccR+zX
HAAAAAtzc2gtZWQyNTUxOQAAACDB2XV+ocNoDXYYeEwMcsFRiXKpaX0GVMWr3/FwkapKlA
AAAEAehsPAvveKDY9puOHtN5tvd579hY1qYp6zJmfE9qFSeMHZdX6hw2gNdhh4TAxywVGJ
cqlpfQZUxavf8XCRqkqUAAAAEXNvbWVvbmVAc29tZXdoZXJlAQIDBA==
-----END OPENSSH PRIVATE KEY-----
)";

std::string error_of(std::string_view text) {
  const auto key = parse_key_file(text, "file");
  return key ? "" : key.error().message();
}

TEST(SshKey, AFileOfOpenSshHasItsPublicKeyAndComment) {
  const auto key = parse_key_file(kKey, "file");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->comment(), "someone@somewhere");
  WireReader fields(key->public_key());
  EXPECT_EQ(fields.string(), "ssh-ed25519");
  EXPECT_EQ(fields.string()->size(), 32U);
  EXPECT_TRUE(fields.at_end());
}

TEST(SshKey, APemFileIsAKeyToo) {
  const auto key = parse_key_file(
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
      "-----END PRIVATE KEY-----\n",
      "file");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->comment(), "file");
}

TEST(SshKey, WhatIsNoKeyIsSaid) {
  EXPECT_EQ(error_of(""), "no private key found");
  EXPECT_EQ(error_of("ssh-ed25519 AAAA x"), "no private key found");
  EXPECT_EQ(error_of("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"),
            "no private key found");
  EXPECT_EQ(error_of("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"),
            "the private key is damaged");
  EXPECT_THAT(error_of("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4C\n"
                       "-----END ENCRYPTED PRIVATE KEY-----\n"),
              HasSubstr("passphrase"));
}

TEST(SshKey, DamageNeverDoesMoreThanFail) {
  const std::string text(kKey);
  for (std::size_t i = text.find('\n') + 1; i < text.rfind("-----END"); ++i) {
    for (const char c : {'A', '/', '='}) {
      std::string damaged = text;
      damaged[i] = c;
      (void)error_of(damaged);
    }
    EXPECT_NE(error_of(text.substr(0, i)), "");
  }
}

class KeyAgentTest : public testing::Test {
 protected:
  KeyAgentTest() {
    const auto key = parse_key_file(kKey, "file");
    public_ = key->public_key();
    agent_ = make_key_agent({*key});
  }
  std::string ask(const std::string& request) {
    const auto reply = agent_->ask(request, cancel_);
    return reply ? *reply : reply.error().message();
  }
  Cancel cancel_;
  std::string public_;
  std::unique_ptr<SshAgent> agent_;
};

TEST_F(KeyAgentTest, ListsItsKeys) {
  EXPECT_EQ(ask("\x0b"), WireWriter(MessageType::IdentitiesAnswer)
                             .number(1)
                             .string(public_)
                             .string("someone@somewhere")
                             .take());
}

TEST_F(KeyAgentTest, SignsWithTheKeyThatIsNamed) {
  const auto request = [](std::string_view key) {
    return WireWriter(MessageType::SignRequest).string(key).string("data").number(0).take();
  };
  const std::string reply = ask(request(public_));
  WireReader fields(reply);
  EXPECT_EQ(fields.byte(), static_cast<std::uint8_t>(MessageType::SignResponse));
  WireReader signature(fields.string().value_or(""));
  EXPECT_EQ(signature.string(), "ssh-ed25519");
  EXPECT_EQ(signature.string()->size(), 64U);
  EXPECT_EQ(ask(request("another")), failure_message());
}

}  // namespace
}  // namespace mybuild::secrets
