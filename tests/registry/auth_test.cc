// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/auth.h"

#include "builder/registry/url.h"
#include "tests/registry/fake_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::registry {
namespace {

using testing::HasSubstr;

constexpr char kHubChallenge[] =
    R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull")";

Response challenge_answer(const std::string& header) {
  Response response;
  response.status = 401;
  response.headers["www-authenticate"] = header;
  return response;
}

TEST(Challenge, DockerHubsIsRead) {
  const Challenge challenge = parse_challenge(kHubChallenge).value();
  EXPECT_EQ(challenge.scheme, "bearer");
  EXPECT_EQ(challenge.values.at("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(challenge.values.at("scope"), "repository:library/busybox:pull");
}

TEST(Challenge, BearerIsPreferredAmongSeveral) {
  const auto challenge = parse_challenge(R"(Basic realm="x", Bearer realm="https://a", service=b)");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->scheme, "bearer");
  EXPECT_EQ(challenge->values.at("service"), "b");
}

TEST(Challenge, QuotedCommasAndEscapesStayInTheValue) {
  EXPECT_EQ(parse_challenge(R"(Bearer scope="a:b:pull,push", realm="q\"q")")->values.at("scope"),
            "a:b:pull,push");
  EXPECT_EQ(parse_challenge(R"(Bearer realm="q\"q")")->values.at("realm"), "q\"q");
}

TEST(Challenge, NonsenseIsRefused) {
  for (const char* text :
       {"", "=", "Bearer realm=", R"(Bearer realm="open)", "a=b", "\"x\"", "Bearer ,=,"}) {
    EXPECT_FALSE(parse_challenge(text)) << text;
  }
}

TEST(Tokens, AreFetchedOnceAndKept) {
  FakeTransport transport({{200, R"({"token":"abc","expires_in":300})", {}, {}}});
  TokenKeeper tokens(transport);
  const Cancel cancel;
  EXPECT_EQ(tokens.find("h", "s"), "");
  EXPECT_EQ(tokens.fetch("h", "s", challenge_answer(kHubChallenge), cancel).value(), "abc");
  EXPECT_EQ(tokens.find("h", "s"), "abc");
  EXPECT_EQ(tokens.find("h", "other"), "");
  EXPECT_EQ(transport.asked[0].url,
            "https://auth.docker.io/"
            "token?service=registry.docker.io&scope=repository%3Alibrary%2Fbusybox%3Apull");
  tokens.forget("h", "s");
  EXPECT_EQ(tokens.find("h", "s"), "");
}

TEST(Tokens, AccessTokenIsAnotherNameForToken) {
  FakeTransport transport({{200, R"({"access_token":"xyz"})", {}, {}}});
  TokenKeeper tokens(transport);
  EXPECT_EQ(tokens.fetch("h", "s", challenge_answer(kHubChallenge), Cancel()).value(), "xyz");
}

TEST(Tokens, ARealmWithoutTlsIsRefusedUnlessItIsThisMachine) {
  for (const char* realm :
       {"http://example.com/token", "ftp://example.com/", "http://127.0.0.1@example.com/",
        "http://127.0.0.1.example.com/", "file:///etc/passwd", "token"}) {
    FakeTransport transport({});
    TokenKeeper tokens(transport);
    const auto token = tokens.fetch(
        "h", "s", challenge_answer(fmt::format("Bearer realm=\"{}\"", realm)), Cancel());
    ASSERT_FALSE(token) << realm;
    EXPECT_EQ(token.error().kind(), ErrorKind::Denied);
  }
  FakeTransport transport({{200, R"({"token":"t"})", {}, {}}});
  TokenKeeper tokens(transport);
  EXPECT_TRUE(tokens.fetch(
      "h", "s", challenge_answer(R"(Bearer realm="http://localhost:5001/t?x=1")"), Cancel()));
  EXPECT_EQ(transport.asked[0].url, "http://localhost:5001/t?x=1&scope=s");
}

TEST(Tokens, BasicMeansCredentialsWhichAreNotSupported) {
  FakeTransport transport({});
  TokenKeeper tokens(transport);
  const auto token =
      tokens.fetch("reg.example", "s", challenge_answer("Basic realm=\"x\""), Cancel());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(token.error().message(), HasSubstr("reg.example wants credentials"));
  EXPECT_FALSE(token.error().hint().empty());
}

TEST(Tokens, ATokenThatWouldBreakTheHeaderIsRefused) {
  FakeTransport transport({{200, R"({"token":"a\r\nX-Evil: 1"})", {}, {}}});
  TokenKeeper tokens(transport);
  EXPECT_FALSE(tokens.fetch("h", "s", challenge_answer(kHubChallenge), Cancel()));
}

TEST(Tokens, APageInsteadOfATokenIsNamedForWhatItIs) {
  FakeTransport transport({{200, "<html>", {{"content-type", "text/html"}}, {}}});
  TokenKeeper tokens(transport);
  const auto token = tokens.fetch("h", "s", challenge_answer(kHubChallenge), Cancel());
  EXPECT_THAT(token.error().message(), HasSubstr("token for h: https://auth.docker.io/token "
                                                 "answered with text/html instead of JSON"));
}

TEST(Url, OriginsLeaveOutWhatIsNotOne) {
  EXPECT_EQ(origin_of("HTTPS://Host:5/x?y"), "https://host:5");
  EXPECT_EQ(origin_of("http://h\\@evil/"), "http://h");
  EXPECT_EQ(origin_of("http://u@h/"), "");
  EXPECT_EQ(origin_of("/path"), "");
  EXPECT_EQ(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
  EXPECT_EQ(without_query("https://h/x?sig=1"), "https://h/x");
}

}  // namespace
}  // namespace mybuild::registry
