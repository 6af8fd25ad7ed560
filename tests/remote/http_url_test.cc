// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/http_url.h"

#include <gtest/gtest.h>

#include <string>

namespace mybuild::frontend {
namespace {

TEST(HttpUrl, GivesTheFileItsName) {
  const std::string longest(255, 'a');
  const std::pair<std::string, std::string> table[] = {
      {"https://example.com/a/b.tar.gz", "b.tar.gz"},
      {"https://example.com/a/b/", "b"},
      {"https://example.com/a/b?x=/c#/d", "b"},
      {"https://example.com/a%20b%2Bc", "a b+c"},
      {"https://example.com/a%2Fb", "b"},
      {"https://example.com/*.[ch]", "*.[ch]"},
      {"https://example.com/" + longest, longest},
      {"https://example.com/" + longest + "a", "__unnamed__"},
      {"https://example.com/", "__unnamed__"},
      {"https://example.com", "__unnamed__"},
      {"https://example.com/a/..", "__unnamed__"},
      {"https://example.com/%2e%2e", "__unnamed__"},
      {"https://example.com/.", "__unnamed__"},
      {"https://example.com/a%00b", "__unnamed__"},
      {"https://example.com/a%0ab", "__unnamed__"},
      {"https://example.com/a%zz", "__unnamed__"},
      {"https://example.com/a%2", "__unnamed__"},
      {"no url", "__unnamed__"},
      {"", "__unnamed__"},
  };
  for (const auto& [url, name] : table) {
    EXPECT_EQ(url_file_name(url), name) << url;
  }
}

TEST(HttpUrl, IsShownWithoutSecrets) {
  const std::pair<const char*, const char*> table[] = {
      {"https://example.com/a", "https://example.com/a"},
      {"https://me:secret@example.com/a?token=x#v1:d", "https://example.com/a#v1:d"},
      {"https://me@you@example.com:8080/a@b", "https://example.com:8080/a@b"},
      {"HTTPS://example.com", "https://example.com"},
      {"git@example.com:a/b?branch=x#v1", "git@example.com:a/b#v1"},
      {"https://example.com/a\n\x1b[31mb", "https://example.com/a??[31mb"},
      {"a#b?c", "a#b?c"},
      {"", ""},
  };
  for (const auto& [url, shown] : table) {
    EXPECT_EQ(shown_url(url), shown) << url;
  }
}

TEST(HttpUrl, IsSentInAscii) {
  EXPECT_EQ(request_url("https://h.org/a b/\xc3\xa9?x={y|z}&b=c d#e"),
            "https://h.org/a%20b/%C3%A9?x={y|z}&b=c%20d#e");
  EXPECT_EQ(request_url("https://h.org/%20"), "https://h.org/%20");
}

TEST(HttpUrl, IsCheckedBeforeAnybodyFetchesIt) {
  for (const char* good :
       {"https://example.com", "http://127.0.0.1:8080/a?b#c", "http://[::1]/x",
        "https://u:p@example.com/a%20b", "https://host/a b?c d", "https://a_b.example.com/"}) {
    EXPECT_TRUE(check_http_url(good)) << good;
  }
  for (const char* bad :
       {"https://", "https:///a", "https://-host/a", "https://host:port/a", "https://a b/c",
        "https://host/a\nb", "https://host/%zz", "http://[::1/x", "http://[::1]x/",
        "http://host:123456/", "ftp://host/a", "https://ho$t/a"}) {
    EXPECT_FALSE(check_http_url(bad)) << bad;
  }
  const auto secret = check_http_url("https://me:secret@/a");
  EXPECT_EQ(secret.error().message().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace mybuild::frontend
