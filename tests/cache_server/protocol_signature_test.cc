// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/record.h"
#include "builder/cache_server/protocol/signature.h"
#include "snapshotter/base/bytes.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string hex_of(std::string_view bytes) {
  return to_hex(as_bytes(bytes));
}

SigningKey key_of(const std::string& seed) {
  return *SigningKey::from_seed(seed);
}

/// RFC 8032, section 7.1, test 3.
const std::string kSeed =
    from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");

TEST(Signature, IsThatOfTheRfc) {
  const SigningKey key = key_of(kSeed);
  const std::string message = from_hex("af82");
  EXPECT_EQ(hex_of(*key.sign(message)),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
  EXPECT_EQ(to_string(key.public_key()), "ed25519:_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU");
  EXPECT_EQ(key.seed(), kSeed);
}

TEST(Signature, HoldsForItsTextAndItsKeyOnly) {
  const SigningKey key = key_of(kSeed);
  const std::string signature = *key.sign("text");
  EXPECT_TRUE(verify(key.public_key(), "text", signature));
  EXPECT_FALSE(verify(key.public_key(), "Text", signature));
  EXPECT_FALSE(verify(key.public_key(), "", signature));
  EXPECT_FALSE(verify(SigningKey::generate()->public_key(), "text", signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string broken = signature;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(verify(key.public_key(), "text", broken)) << i;
  }
}

TEST(Signature, WhatIsNoneIsWrong) {
  const PublicKey key = key_of(kSeed).public_key();
  EXPECT_FALSE(verify(key, "text", ""));
  EXPECT_FALSE(verify(key, "text", std::string(63, 'a')));
  EXPECT_FALSE(verify(key, "text", std::string(65, 'a')));
  EXPECT_FALSE(verify(PublicKey{}, "text", std::string(64, '\0')));
}

TEST(Signature, KeysOfTheirOwnDiffer) {
  EXPECT_NE(SigningKey::generate()->seed(), SigningKey::generate()->seed());
  EXPECT_FALSE(SigningKey::from_seed("short"));
}

TEST(PublicKey, HasOneText) {
  const std::string text = to_string(key_of(kSeed).public_key());
  EXPECT_EQ(to_string(*parse_public_key(text)), text);
  std::string other_end = text;
  other_end.back() = 'V';  // the same bytes, with bits that should be zero
  for (const std::string& wrong :
       {std::string(), std::string("ed25519:"), text.substr(8), text + "=", text + "A",
        "rsa:" + text.substr(8), text.substr(0, text.size() - 1), other_end,
        "ed25519:/" + text.substr(9)}) {
    EXPECT_FALSE(parse_public_key(wrong)) << wrong;
  }
}

TEST(SignedText, FramesDomainSpaceAndBody) {
  EXPECT_EQ(hex_of(signed_text("team/main", "{}")),
            "1100000000000000" + hex_of("mybuild.record.v1") + "0900000000000000" +
                hex_of("team/main") + "0200000000000000" + hex_of("{}"));
  EXPECT_NE(signed_text("a", "b{}"), signed_text("ab", "{}"));
}

// PROTOCOL.md shows these bytes.
TEST(SignedText, HasTheSignatureOfTheDocument) {
  EXPECT_EQ(hex_of(*key_of(kSeed).sign(signed_text("team/main", "{}"))),
            "347f85f45d5b7c7020d9cef177c8c18c1997f17f455e7da6c0f622a9e5cce3fa"
            "00de37470fc1ed999d9ca0a6117f2d6bbeaca7149ae874edd545fe38e1bc9806");
}

}  // namespace
}  // namespace mybuild::cache_server
