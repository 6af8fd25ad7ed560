// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/auth.h"

#include "builder/registry/url.h"
#include "tests/registry/fake_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace mybuild::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

Endpoint at(const std::string& host) {
  Endpoint endpoint;
  endpoint.registry = host;
  endpoint.origin = "https://" + host;
  endpoint.repository = "r";
  return endpoint;
}

class OneLogin final : public CredentialSource {
 public:
  explicit OneLogin(Credential credential) : credential_(std::move(credential)) {}
  Result<std::optional<Credential>> find(const std::string& registry, const std::string&,
                                         const Cancel&) override {
    asked.push_back(registry);
    return std::optional(credential_);
  }
  std::vector<std::string> asked;

 private:
  Credential credential_;
};

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
  TokenKeeper tokens(transport, {});
  const Cancel cancel;
  EXPECT_EQ(tokens.find(at("h"), "s"), "");
  EXPECT_EQ(tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", cancel).value(),
            "Bearer abc");
  EXPECT_EQ(tokens.find(at("h"), "s"), "Bearer abc");
  EXPECT_EQ(tokens.find(at("h"), "other"), "");
  EXPECT_EQ(transport.asked[0].url,
            "https://auth.docker.io/"
            "token?service=registry.docker.io&scope=s&scope=repository%3Alibrary%2Fbusybox%3Apull");
}

TEST(Tokens, OfSeveralWhoWereRefusedOneFetches) {
  FakeTransport transport({{200, R"({"token":"1"})", {}, {}}, {200, R"({"token":"2"})", {}, {}}});
  TokenKeeper tokens(transport, {});
  const auto refused = challenge_answer(kHubChallenge);
  EXPECT_EQ(tokens.answer(at("h"), "s", refused, "", Cancel()).value(), "Bearer 1");
  EXPECT_EQ(tokens.answer(at("h"), "s", refused, "", Cancel()).value(), "Bearer 1");
  EXPECT_EQ(tokens.answer(at("h"), "s", refused, "Bearer 1", Cancel()).value(), "Bearer 2");
}

TEST(Tokens, AreReplacedBeforeTheyEnd) {
  FakeTransport transport({{200, R"({"token":"1","expires_in":1})", {}, {}}});
  TokenKeeper tokens(transport, {});
  ASSERT_TRUE(tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel()));
  EXPECT_EQ(tokens.find(at("h"), "s"), "Bearer 1");
  std::this_thread::sleep_for(std::chrono::milliseconds(550));
  EXPECT_EQ(tokens.find(at("h"), "s"), "");
}

TEST(Tokens, ALoginGoesToTheRealmOnly) {
  FakeTransport transport({{200, R"({"token":"abc"})", {}, {}}});
  OneLogin login({"me", "secret", ""});
  TokenKeeper tokens(transport, {.credentials = &login});
  ASSERT_TRUE(tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel()));
  EXPECT_THAT(transport.asked[0].url, HasSubstr("account=me"));
  EXPECT_THAT(transport.asked[0].url, Not(HasSubstr("secret")));
  EXPECT_EQ(transport.asked[0].headers,
            std::vector<std::string>{"Authorization: Basic bWU6c2VjcmV0"});
  EXPECT_EQ(login.asked, std::vector<std::string>{"h"});
}

TEST(Tokens, AnIdentityTokenIsPostedAndNotRedirected) {
  FakeTransport transport({{200, R"({"access_token":"abc"})", {}, {}}});
  OneLogin login({"", "", "id&token"});
  TokenKeeper tokens(transport, {.credentials = &login});
  EXPECT_EQ(tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel()).value(),
            "Bearer abc");
  const Request& asked = transport.asked[0];
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.url, "https://auth.docker.io/token");
  EXPECT_FALSE(asked.follow_redirects);
  EXPECT_EQ(asked.body,
            "grant_type=refresh_token&client_id=mybuild&service=registry.docker.io&scope=s%20"
            "repository%3Alibrary%2Fbusybox%3Apull&refresh_token=id%26token");
}

TEST(Tokens, WhatWeNeedIsAskedForOnceAndWhatTheChallengeAddsToo) {
  FakeTransport transport({{200, R"({"token":"abc"})", {}, {}}});
  TokenKeeper tokens(transport, {});
  const auto refused = challenge_answer(
      R"(Bearer realm="https://h/t",scope="repository:a:push,pull repository:b:pull")");
  ASSERT_TRUE(tokens.answer(at("h"), "repository:a:pull,push", refused, "", Cancel()));
  EXPECT_EQ(transport.asked[0].url,
            "https://h/t?scope=repository%3Aa%3Apull%2Cpush&scope=repository%3Ab%3Apull");
}

TEST(Tokens, AWrongPasswordIsSaidSo) {
  FakeTransport transport({{401, "", {}, {}}});
  OneLogin login({"me", "wrong", ""});
  TokenKeeper tokens(transport, {.credentials = &login});
  const auto token = tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(token.error().message(), HasSubstr("login to h as me failed"));
  EXPECT_EQ(token.error().hint(), "mybuild login h");
}

TEST(Tokens, BasicIsAnsweredWithTheLoginFromThenOn) {
  FakeTransport transport({});
  OneLogin login({"me", "secret", ""});
  TokenKeeper tokens(transport, {.credentials = &login});
  EXPECT_EQ(
      tokens.answer(at("h"), "s", challenge_answer("Basic realm=\"x\""), "", Cancel()).value(),
      "Basic bWU6c2VjcmV0");
  EXPECT_EQ(tokens.find(at("h"), "other"), "Basic bWU6c2VjcmV0");
  EXPECT_EQ(tokens.find(at("elsewhere"), "s"), "");
}

TEST(Tokens, AccessTokenIsAnotherNameForToken) {
  FakeTransport transport({{200, R"({"access_token":"xyz"})", {}, {}}});
  TokenKeeper tokens(transport, {});
  EXPECT_EQ(tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel()).value(),
            "Bearer xyz");
}

TEST(Tokens, ARealmWithoutTlsIsRefusedUnlessItIsThisMachine) {
  for (const char* realm :
       {"http://example.com/token", "ftp://example.com/", "http://127.0.0.1@example.com/",
        "http://127.0.0.1.example.com/", "file:///etc/passwd", "token"}) {
    FakeTransport transport({});
    TokenKeeper tokens(transport, {});
    const auto token = tokens.answer(
        at("h"), "s", challenge_answer(fmt::format("Bearer realm=\"{}\"", realm)), "", Cancel());
    ASSERT_FALSE(token) << realm;
    EXPECT_EQ(token.error().kind(), ErrorKind::Denied);
  }
  FakeTransport transport({{200, R"({"token":"t"})", {}, {}}});
  TokenKeeper tokens(transport, {});
  EXPECT_TRUE(tokens.answer(at("h"), "s",
                            challenge_answer(R"(Bearer realm="http://localhost:5001/t?x=1")"), "",
                            Cancel()));
  EXPECT_EQ(transport.asked[0].url, "http://localhost:5001/t?x=1&scope=s");
}

TEST(Tokens, BasicWithoutALoginIsDenied) {
  FakeTransport transport({});
  TokenKeeper tokens(transport, {});
  const auto token =
      tokens.answer(at("reg.example"), "s", challenge_answer("Basic realm=\"x\""), "", Cancel());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(token.error().message(), HasSubstr("reg.example wants a login"));
  EXPECT_FALSE(token.error().hint().empty());
}

TEST(Tokens, ATokenThatWouldBreakTheHeaderIsRefused) {
  FakeTransport transport({{200, R"({"token":"a\r\nX-Evil: 1"})", {}, {}}});
  TokenKeeper tokens(transport, {});
  EXPECT_FALSE(tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel()));
}

TEST(Tokens, APageInsteadOfATokenIsNamedForWhatItIs) {
  FakeTransport transport({{200, "<html>", {{"content-type", "text/html"}}, {}}});
  TokenKeeper tokens(transport, {});
  const auto token = tokens.answer(at("h"), "s", challenge_answer(kHubChallenge), "", Cancel());
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
