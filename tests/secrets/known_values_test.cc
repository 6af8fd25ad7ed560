// SPDX-License-Identifier: Apache-2.0
// The forms in which a secret hides in a file, and finding them across the pieces of a stream.
#include "builder/secrets/known_values.h"

#include "snapshotter/base/base64.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mybuild::secrets {
namespace {

bool finds(const std::string& value, const std::string& text, std::size_t piece = 1 << 20) {
  ValueScan scan({value});
  for (std::size_t at = 0; at < text.size(); at += piece) {
    EXPECT_TRUE(scan.write(as_bytes(std::string_view(text).substr(at, piece))));
  }
  return scan.found();
}

const std::string kValue = "hunter2-s3cr3t";

TEST(ValueScan, FindsAValueWhereverThePiecesEnd) {
  const std::string text = std::string(100, 'x') + kValue + std::string(100, 'y');
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 13U, 14U, 15U, 64U, 1000U}) {
    EXPECT_TRUE(finds(kValue, text, piece)) << piece;
    EXPECT_FALSE(finds("hunter2-s3cr3T", text, piece)) << piece;
  }
}

TEST(ValueScan, FindsItInsideOfBase64AtEveryPlace) {
  for (const char* before : {"", "u", "us", "user:", "user1:"}) {
    const std::string encoded = base64_encode(before + kValue + "\nmore");
    EXPECT_TRUE(finds(kValue, "auth: " + encoded, 5)) << before;
  }
  EXPECT_FALSE(finds(kValue, base64_encode("something else altogether")));
  EXPECT_TRUE(finds("pass", base64_encode("pass")));
}

TEST(ValueScan, FindsBothAlphabetsAndHexadecimalOfEitherCase) {
  const std::string value = "\xfb\xff\xfe\xfb\xff\xfe\xfb\xff\xfe";
  std::string encoded = base64_encode(value);
  EXPECT_TRUE(finds(value, encoded));
  std::replace(encoded.begin(), encoded.end(), '+', '-');
  std::replace(encoded.begin(), encoded.end(), '/', '_');
  EXPECT_TRUE(finds(value, encoded));
  EXPECT_TRUE(finds(kValue, to_hex(as_bytes(kValue))));
  EXPECT_TRUE(finds(value, "FBFFFEFBFFFEFBFFFE"));
}

TEST(ValueScan, WithoutValuesNothingIsFound) {
  ValueScan scan({});
  EXPECT_TRUE(scan.write(as_bytes("anything")));
  EXPECT_FALSE(scan.found());
}

class OneSecret final : public SecretSource {
 public:
  Result<std::optional<std::string>> get(const std::string& id, const Cancel&) override {
    return id == "token" ? std::optional<std::string>("the value\n") : std::nullopt;
  }
};

TEST(KnownValues, AreThoseThatWereAskedForWithoutTheirLineEnds) {
  OneSecret source;
  KnownValues known;
  const auto noted = note_values(source, known);
  const Cancel cancel;
  EXPECT_TRUE(known.empty());
  EXPECT_EQ(**noted->get("token", cancel), "the value\n");
  EXPECT_FALSE(noted->get("other", cancel)->has_value());
  EXPECT_EQ(known.values(), std::vector<std::string>{"the value"});
}

TEST(KnownValues, LinesOfALongOneAreValuesOfTheirOwn) {
  const std::string line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
  const std::string key =
      "-----BEGIN PRIVATE KEY-----\r\n" + line + "\r\nshort\r\n-----END PRIVATE KEY-----\n";
  KnownValues known;
  known.add(key);
  EXPECT_EQ(known.values().size(), 2U) << "the whole and the line; what is in every key is none";
  EXPECT_EQ(known.masked("leaked: " + line + " short\n"), "leaked: *** short\n");
  EXPECT_EQ(known.masked("-----BEGIN PRIVATE KEY-----"), "-----BEGIN PRIVATE KEY-----");
  ValueScan scan(known.values());
  EXPECT_TRUE(scan.write(as_bytes("key = \"" + line + "\"")));
  EXPECT_TRUE(scan.found());
  const std::string whole = key.substr(0, key.size() - 1);
  ValueScan encoded(known.values());
  EXPECT_TRUE(encoded.write(as_bytes(base64_encode(whole))));
  EXPECT_TRUE(encoded.found());
}

TEST(KnownValues, TheLastLineCountsAndADocumentHasAnEnd) {
  KnownValues known;
  known.add("user\n  password-of-many-bytes");
  EXPECT_EQ(known.masked("password-of-many-bytes"), "***");
  std::string document;
  for (int i = 0; i < 10'000; ++i) {
    document += "line number " + std::to_string(100'000 + i) + "\n";
  }
  known.add(document);
  EXPECT_LT(known.values().size(), 300U);
  EXPECT_EQ(known.masked("x line number 100000 x"), "x *** x");
}

TEST(KnownValues, ShortOnesAreNoneAndTheLongestComesFirst) {
  KnownValues known;
  for (const char* value : {"abc", "abc\n\n", "abcd", "abcdef", "abcd"}) {
    known.add(value);
  }
  EXPECT_EQ(known.values(), (std::vector<std::string>{"abcdef", "abcd"}));
}

}  // namespace
}  // namespace mybuild::secrets
