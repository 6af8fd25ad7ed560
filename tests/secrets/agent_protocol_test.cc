// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/agent_protocol.h"

#include <gtest/gtest.h>

namespace mybuild::secrets {
namespace {

std::string sign_request() {
  return WireWriter(MessageType::SignRequest).string("key").string("data").number(4).take();
}

TEST(AgentProtocol, ListingAndSigningAreAllowedAndNothingElse) {
  EXPECT_TRUE(is_allowed("\x0b"));
  EXPECT_TRUE(is_allowed(sign_request()));
  for (int type = 0; type < 256; ++type) {
    if (type != 11) {
      EXPECT_FALSE(is_allowed(std::string(1, static_cast<char>(type)))) << type;
      EXPECT_FALSE(is_allowed(static_cast<char>(type) + std::string(12, '\0')) && type != 13);
    }
  }
  EXPECT_FALSE(is_allowed(""));
  EXPECT_FALSE(is_allowed("\x0b "));
}

TEST(AgentProtocol, ARequestToSignMustBeWhole) {
  const std::string whole = sign_request();
  const auto request = parse_sign_request(whole);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key, "key");
  EXPECT_EQ(request->data, "data");
  EXPECT_EQ(request->flags, 4U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(is_allowed(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(is_allowed(whole + "x"));
  EXPECT_FALSE(is_allowed("\x0d\xff\xff\xff\xffxyz"));
}

TEST(AgentProtocol, AnAnswerFitsItsRequest) {
  EXPECT_TRUE(is_answer("\x0b", "\x0c..."));
  EXPECT_TRUE(is_answer("\x0b", failure_message()));
  EXPECT_FALSE(is_answer("\x0b", "\x0e..."));
  EXPECT_FALSE(is_answer("\x0b", ""));
  EXPECT_TRUE(is_answer(sign_request(), "\x0e..."));
  EXPECT_FALSE(is_answer(sign_request(), "\x0c..."));
}

TEST(AgentProtocol, BigNumbersArePositiveAndShort) {
  const auto written = [](std::string_view bytes) {
    return WireWriter().big_number(bytes).take().substr(kLengthSize);
  };
  EXPECT_EQ(written(std::string_view("\0\0\x7f", 3)), "\x7f");
  EXPECT_EQ(written("\x80"), std::string("\0\x80", 2));
  EXPECT_EQ(written(std::string_view("\0", 1)), "");
}

}  // namespace
}  // namespace mybuild::secrets
