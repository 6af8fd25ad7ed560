// SPDX-License-Identifier: Apache-2.0
// That real ssh programs take the signatures is e2e's matter (ssh.sh); here: the forms, and bad
// bytes.
#include "builder/secrets/agent_protocol.h"
#include "builder/secrets/key_agent.h"
#include "tests/support/run_tool.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::secrets {
namespace {

using testing::HasSubstr;

/// A new key as ssh-keygen writes it.
std::string make_key(const std::string& options) {
  return snapshotter::output_of(
      {"sh", "-c",
       "dir=$(mktemp -d) && ssh-keygen -q -N '' -C someone@somewhere " + options +
           " -f \"$dir/key\" >/dev/null && cat \"$dir/key\"; rm -r \"$dir\""});
}

const std::string& ed25519_key() {
  static const std::string kText = make_key("-t ed25519");
  return kText;
}

std::string armoured(const std::string& label, const std::string& body) {
  const std::string dashes(5, '-');
  return fmt::format("{0}BEGIN {1}{0}\n{2}\n{0}END {1}{0}\n", dashes, label, body);
}

std::string error_of(std::string_view text) {
  const auto key = parse_key_file(text, "file");
  return key ? "" : key.error().message();
}

TEST(SshKey, AFileOfOpenSshHasItsPublicKeyAndComment) {
  const auto key = parse_key_file(ed25519_key(), "file");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->comment(), "someone@somewhere");
  WireReader fields(key->public_key());
  EXPECT_EQ(fields.string(), "ssh-ed25519");
  EXPECT_EQ(fields.string()->size(), 32U);
  EXPECT_TRUE(fields.at_end());
}

TEST(SshKey, APemFileIsAKeyToo) {
  const auto key = parse_key_file(make_key("-t ecdsa -m PKCS8"), "file");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->comment(), "file");
}

TEST(SshKey, WhatIsNoKeyIsSaid) {
  EXPECT_EQ(error_of(""), "no private key found");
  EXPECT_EQ(error_of("ssh-ed25519 AAAA x"), "no private key found");
  EXPECT_EQ(error_of(armoured("PUBLIC KEY", "MCow")), "no private key found");
  EXPECT_EQ(error_of(armoured("PRIVATE KEY", "MC4C")), "the private key is damaged");
  EXPECT_THAT(error_of(armoured("ENCRYPTED PRIVATE KEY", "MC4C")), HasSubstr("passphrase"));
}

TEST(SshKey, DamageNeverDoesMoreThanFail) {
  const std::string& text = ed25519_key();
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
    const auto key = parse_key_file(ed25519_key(), "file");
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
