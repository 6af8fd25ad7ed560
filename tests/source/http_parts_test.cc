// SPDX-License-Identifier: Apache-2.0
// Addresses and dates.
#include "builder/source/http_address.h"
#include "builder/source/http_date.h"

#include <gtest/gtest.h>

namespace mybuild::source {
namespace {

HttpAddress address(std::string_view url) {
  auto parsed = parse_http_address(url);
  EXPECT_TRUE(parsed) << url;
  return parsed.value_or(HttpAddress());
}

TEST(HttpAddress, is_taken_apart) {
  const HttpAddress one = address("https://user:pw@host.example:8443/a/b?c=d#e");
  EXPECT_EQ(one.url, "https://host.example:8443/a/b?c=d");
  EXPECT_EQ(one.shown, "https://host.example:8443/a/b");
  EXPECT_EQ(one.host, "host.example");
  EXPECT_EQ(one.login, "Basic dXNlcjpwdw==");
  EXPECT_EQ(address("http://host").url, "http://host/");
  EXPECT_EQ(address("http://host?x").url, "http://host/?x");
  EXPECT_EQ(address("HTTP://[::1]:80/x").url, "http://[::1]:80/x");
  EXPECT_EQ(address("http://[::1]:80/x").host, "::1");
  EXPECT_EQ(address("http://a@b@host/x").login, "Basic YUBiOg==");
  EXPECT_EQ(address("http://host/a@b").login, "");
}

TEST(HttpAddress, is_escaped_where_it_must_be) {
  EXPECT_EQ(address("http://h/a b/\xc3\xa9%20\"").url, "http://h/a%20b/%C3%A9%20%22");
}

TEST(HttpAddress, refuses_what_is_none) {
  for (const std::string_view url :
       {"", "host/x", "ftp://host/x", "http:/host", "http://", "http:///x", "http://u:p@/x",
        "http://ho st/x", "http://host:8x/", "http://[::1/x", "http://h/a\r\nb",
        "http://h\\@g/x"}) {
    EXPECT_FALSE(parse_http_address(url)) << url;
  }
  EXPECT_EQ(parse_http_address("http://user:secret@ho st/").error().message().find("secret"),
            std::string::npos);
}

TEST(HttpDate, has_three_forms) {
  for (const std::string_view text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), 784111777) << text;
  }
  for (const std::string_view text :
       {"", "0", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37 CET", "1994-11-06T08:49:37Z"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace mybuild::source
