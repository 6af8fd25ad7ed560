// SPDX-License-Identifier: Apache-2.0
// What is asked without libcurl, at a server that speaks HTTP as badly as it is told to.
#include "builder/registry/plain_head.h"

#include "builder/registry/body.h"
#include "tests/registry/test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

namespace mybuild::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

class PlainHead : public testing::Test {
 protected:
  static Request head(const std::string& url) {
    Request request;
    request.method = "HEAD";
    request.url = url;
    return request;
  }
  Result<std::optional<Response>> ask(const Request& request) {
    return ask_plainly(request, body_, cancel_);
  }

  Cancel cancel_;
  TextBody body_{1 << 20};
};

TEST_F(PlainHead, IsForThisMachineInPlainHttp) {
  EXPECT_TRUE(is_plain_head(head("http://127.0.0.1:5000/v2/busybox/manifests/1")));
  EXPECT_TRUE(is_plain_head(head("http://[::1]:5000/v2/")));
  EXPECT_TRUE(is_plain_head(head("http://localhost/v2/?n=1")));
  EXPECT_FALSE(is_plain_head(head("https://127.0.0.1:5000/v2/")));
  EXPECT_FALSE(is_plain_head(head("http://registry.example/v2/")));
  EXPECT_FALSE(is_plain_head(head("http://user@127.0.0.1/v2/")));
  EXPECT_FALSE(is_plain_head(head("http://127.0.0.1/v2/ HTTP/1.1\r\nX: y")));
  EXPECT_FALSE(is_plain_head(head("http://127.0.0.1")));
}

TEST_F(PlainHead, NothingElseIsPlain) {
  Request get = head("http://127.0.0.1:5000/v2/");
  get.method = "GET";
  EXPECT_FALSE(is_plain_head(get));
  Request socket = head("http://localhost/v2/");
  socket.unix_socket = "/run/cache.sock";
  EXPECT_FALSE(is_plain_head(socket));
}

TEST_F(PlainHead, GivesWhatTheServerSaid) {
  TestServer server([](const std::string&) {
    return http_answer(200, "", "Docker-Content-Digest: sha256:ab\r\nX-One: 1\r\nx-one:2\r\n");
  });
  Request request = head(server.url("/v2/a/manifests/1"));
  request.headers = {"Accept: x/y", "Bad: 1\r\nInjected: 2"};
  const auto answer = ask(request);
  ASSERT_TRUE(answer) << answer.error().message();
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->status, 200);
  EXPECT_EQ((*answer)->reason, "x");
  EXPECT_EQ((*answer)->origin, server.url(""));
  EXPECT_EQ((*answer)->header("docker-content-digest"), "sha256:ab");
  EXPECT_EQ((*answer)->header("x-one"), "1, 2");
  const std::string sent = server.heads()[0];
  EXPECT_THAT(sent, HasSubstr("HEAD /v2/a/manifests/1 HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(sent, HasSubstr("User-Agent: mybuild/"));
  EXPECT_THAT(sent, HasSubstr("Accept: x/y\r\n"));
  EXPECT_THAT(sent, Not(HasSubstr("Injected")));
}

TEST_F(PlainHead, LocalhostIsEitherLoopbackAddress) {
  TestServer server([](const std::string&) { return http_answer(404, ""); });
  const auto answer = ask(head(server.url("/v2/", "localhost")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 404);
}

TEST_F(PlainHead, AnAnswerThatTricklesInIsPutTogether) {
  TestServer server([](const std::string&) { return http_answer(401, "", "X-Trickle: 1\r\n"); });
  const auto answer = ask(head(server.url("/v2/")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 401);
  EXPECT_EQ((*answer)->header("x-trickle"), "1");
}

TEST_F(PlainHead, WhatItTakesMoreForIsLeftToLibcurl) {
  const std::string strange[] = {"",
                                 "SSH-2.0-x\r\n\r\n",
                                 "HTTP/1.1 100 Continue\r\n\r\n",
                                 "HTTP/1.1 xyz\r\n\r\n",
                                 http_answer(307, "", "Location: /elsewhere\r\n"),
                                 "HTTP/1.1 200 OK\r\nX: " + std::string(200 << 10, 'x')};
  for (const std::string& text : strange) {
    TestServer server([&](const std::string&) { return text; });
    const auto answer = ask(head(server.url("/v2/")));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_FALSE(*answer) << text.substr(0, 40);
  }
  EXPECT_FALSE(*ask(head("http://127.0.0.1:1/v2/")));  // nobody there
  EXPECT_FALSE(*ask(head("http://127.0.0.1:x/v2/")));
}

TEST_F(PlainHead, ARedirectThatIsNotFollowedIsAnAnswer) {
  TestServer server(
      [](const std::string&) { return http_answer(307, "", "Location: /elsewhere\r\n"); });
  Request request = head(server.url("/v2/"));
  request.follow_redirects = false;
  const auto answer = ask(request);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->header("location"), "/elsewhere");
}

TEST_F(PlainHead, SilenceEndsInTime) {
  TestServer server([](const std::string&) { return std::string("HTTP/1.1 200 OK\r\n"); });
  Request request = head(server.url("/v2/"));
  request.timeout = std::chrono::milliseconds(30);
  const auto answer = ask(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(answer.error().os_errno(), ETIMEDOUT);
}

TEST_F(PlainHead, ACancelledBuildDoesNotWait) {
  TestServer server([](const std::string&) { return std::string("HTTP/1.1 200 OK\r\n"); });
  std::thread user([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    cancel_.request(make_error(ErrorKind::Cancelled, "stopped"));
  });
  const auto answer = ask(head(server.url("/v2/")));
  user.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Cancelled);
}

}  // namespace
}  // namespace mybuild::registry
