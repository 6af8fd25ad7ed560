// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace mybuild {
namespace {

TEST(Base64, is_what_others_write) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"\xff\xfe", "//4="},
                                                       {std::string("\0\0\0", 3), "AAAA"},
                                                       {"me:s3cr\xC3\xA9t", "bWU6czNjcsOpdA=="}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(Base64, padding_may_be_missing) {
  EXPECT_EQ(base64_decode("Zg"), "f");
  EXPECT_EQ(base64_decode("Zm8"), "fo");
}

TEST(Base64, what_is_none_is_refused) {
  for (const char* text : {"Z", "Zm9v*", "Zm 9v", "Zm9v\n", "Zg===", "Zg==Zg==", "Zm-_"}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

TEST(Base64, every_byte_comes_back_from_every_place) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string& front : {std::string(), std::string("a"), std::string("ab")}) {
      const std::string bytes = front + static_cast<char>(byte);
      EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    }
  }
}

}  // namespace
}  // namespace mybuild
