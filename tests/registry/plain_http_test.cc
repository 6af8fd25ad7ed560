// SPDX-License-Identifier: Apache-2.0
// What is asked without libcurl, at a server that speaks HTTP as badly as it is told to.
#include "builder/registry/plain_http.h"

#include "builder/registry/body.h"
#include "tests/registry/test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>

namespace mybuild::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

class PlainHttpTest : public testing::Test {
 protected:
  static Request head(const std::string& url) {
    Request request;
    request.method = "HEAD";
    request.url = url;
    return request;
  }
  Result<std::optional<Response>> ask(const Request& request) {
    return http_.send(request, body_, cancel_);
  }

  /// With a head and a body that the server shows one after the other.
  static Request put(const std::string& url) {
    Request request;
    request.method = "PUT";
    request.url = url;
    request.follow_redirects = false;
    request.stream = BodyStream{
        .open = []() -> Result<std::unique_ptr<Source>> {
          return std::unique_ptr<Source>(std::make_unique<StringSource>("bytes\r\n\r\n"));
        },
        .size = 9};
    return request;
  }
  static Request get(const std::string& url) {
    Request request;
    request.url = url;
    return request;
  }

  PlainHttp http_;
  Cancel cancel_;
  TextBody body_{1 << 20};
};

TEST_F(PlainHttpTest, IsForThisMachineInPlainHttp) {
  EXPECT_TRUE(PlainHttp::takes(head("http://127.0.0.1:5000/v2/busybox/manifests/1")));
  EXPECT_TRUE(PlainHttp::takes(head("http://[::1]:5000/v2/")));
  EXPECT_TRUE(PlainHttp::takes(head("http://localhost/v2/?n=1")));
  EXPECT_FALSE(PlainHttp::takes(head("https://127.0.0.1:5000/v2/")));
  EXPECT_FALSE(PlainHttp::takes(head("http://registry.example/v2/")));
  EXPECT_FALSE(PlainHttp::takes(head("http://user@127.0.0.1/v2/")));
  EXPECT_FALSE(PlainHttp::takes(head("http://127.0.0.1/v2/ HTTP/1.1\r\nX: y")));
  EXPECT_FALSE(PlainHttp::takes(head("http://127.0.0.1")));
}

TEST_F(PlainHttpTest, WhatIsLargeOrLedElsewhereIsNotPlain) {
  EXPECT_TRUE(PlainHttp::takes(get("http://127.0.0.1:5000/v2/")));
  Request request = put("http://127.0.0.1:5000/v2/");
  EXPECT_TRUE(PlainHttp::takes(request));
  request.stream->size = 1 << 20;
  EXPECT_FALSE(PlainHttp::takes(request));
  request.stream->size.reset();
  EXPECT_FALSE(PlainHttp::takes(request)) << "nobody knows how large it is";
  request = put("http://127.0.0.1:5000/v2/");
  request.follow_redirects = true;
  EXPECT_FALSE(PlainHttp::takes(request)) << "it must not be sent twice";
  Request socket = head("http://localhost/v2/");
  socket.unix_socket = "/run/cache.sock";
  EXPECT_FALSE(PlainHttp::takes(socket));
}

TEST_F(PlainHttpTest, GivesWhatTheServerSaid) {
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

TEST_F(PlainHttpTest, LocalhostIsEitherLoopbackAddress) {
  TestServer server([](const std::string&) { return http_answer(404, ""); });
  const auto answer = ask(head(server.url("/v2/", "localhost")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 404);
}

TEST_F(PlainHttpTest, AnAnswerThatTricklesInIsPutTogether) {
  TestServer server([](const std::string&) { return http_answer(401, "", "X-Trickle: 1\r\n"); });
  const auto answer = ask(head(server.url("/v2/")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 401);
  EXPECT_EQ((*answer)->header("x-trickle"), "1");
}

TEST_F(PlainHttpTest, WhatItTakesMoreForIsLeftToLibcurl) {
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

TEST_F(PlainHttpTest, ARedirectThatIsNotFollowedIsAnAnswer) {
  TestServer server(
      [](const std::string&) { return http_answer(307, "", "Location: /elsewhere\r\n"); });
  Request request = head(server.url("/v2/"));
  request.follow_redirects = false;
  const auto answer = ask(request);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->header("location"), "/elsewhere");
}

TEST_F(PlainHttpTest, ABodyInChunksIsPutTogether) {
  const std::string answers[] = {
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n"
      "X-Trailer: 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Trickle: 1\r\n\r\n"
      "D\r\nabc0123456789\r\n0\r\n\r\n"};
  for (const std::string& text : answers) {
    TestServer server([&](const std::string&) { return text; });
    const auto answer = ask(get(server.url("/x")));
    ASSERT_TRUE(answer && *answer) << text;
    EXPECT_EQ(body_.text(), "abc0123456789");
  }
}

TEST_F(PlainHttpTest, ABodyWithoutALengthEndsWithTheConnection) {
  TestServer server([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
  });
  ASSERT_TRUE(*ask(get(server.url("/x"))));
  EXPECT_EQ(body_.text(), "all of it");
  ASSERT_TRUE(*ask(get(server.url("/x"))));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(PlainHttpTest, ABodyThatBreaksOffIsUnavailable) {
  const std::string cut[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nA\r\n0123",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\n0123\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n4\r\n0123XX0\r\n\r\n"};
  for (const std::string& text : cut) {
    TestServer server([&](const std::string&) { return text; });
    const auto answer = ask(get(server.url("/x")));
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().kind(), ErrorKind::Unavailable);
    EXPECT_EQ(body_.text(), "0123");
  }
}

TEST_F(PlainHttpTest, AnAnswerOfTwoLengthsIsNobodys) {
  TestServer server([](const std::string&) {
    return http_answer(200, "0123", "Content-Length: 2\r\nConnection: close\r\n");
  });
  EXPECT_FALSE(*ask(get(server.url("/x"))));
  EXPECT_EQ(ask(put(server.url("/x"))).error().kind(), ErrorKind::Unavailable);
}

TEST_F(PlainHttpTest, WhatIsSmallIsSentOnce) {
  TestServer server([](const std::string& head) {
    return head.starts_with("PUT") ? http_answer(201, "", "Docker-Content-Digest: d\r\n")
                                   : std::string();
  });
  const auto answer = ask(put(server.url("/v2/x?digest=d")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 201);
  while (server.heads().size() < 2) {
    std::this_thread::yield();
  }
  EXPECT_THAT(server.heads()[0], HasSubstr("PUT /v2/x?digest=d HTTP/1.1\r\n"));
  EXPECT_THAT(server.heads()[0], HasSubstr("Content-Length: 9\r\n"));
  EXPECT_EQ(server.heads()[1], "bytes\r\n");
}

TEST_F(PlainHttpTest, WhatWasSentAndNotAnsweredIsNotSentAnotherWay) {
  TestServer server([](const std::string&) { return std::string(); });
  const auto answer = ask(put(server.url("/x")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(server.heads().size(), 1U);
  EXPECT_FALSE(*ask(put("http://127.0.0.1:1/x"))) << "nobody there: libcurl has the words for it";
}

TEST_F(PlainHttpTest, AWordInBetweenIsNoAnswer) {
  TestServer server([](const std::string&) {
    return "HTTP/1.1 100 Continue\r\n\r\n" + http_answer(201, "", "Connection: close\r\n");
  });
  const auto answer = ask(put(server.url("/x")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 201);
}

TEST_F(PlainHttpTest, AConnectionThatWasClosedMeanwhileIsMadeAnew) {
  std::atomic<int> asked = 0;
  TestServer server([&](const std::string&) {  // it does not say that it is going to close
    return ++asked == 2 ? std::string() : http_answer(200, "x");
  });
  ASSERT_TRUE(*ask(get(server.url("/x"))));
  ASSERT_TRUE(*ask(get(server.url("/x"))));
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.heads().size(), 3U);
}

TEST_F(PlainHttpTest, AServerThatNeverPausesIsStoppedAsWell) {
  TestServer server([](const std::string&) { return http_answer(200, std::string(8 << 20, 'x')); });
  class Slow final : public BodySink {
   public:
    Status begin(const Response&) override { return {}; }
    Status write(ByteSpan) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return {};
    }
  } slow;
  Request request = get(server.url("/x"));
  request.timeout = std::chrono::milliseconds(60);
  const auto answer = http_.send(request, slow, cancel_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().os_errno(), ETIMEDOUT);
}

TEST_F(PlainHttpTest, NotModifiedIsAnAnswer) {
  TestServer server(
      [](const std::string&) { return std::string("HTTP/1.1 304 x\r\nETag: e\r\n\r\n"); });
  const auto answer = ask(get(server.url("/x")));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 304);
  EXPECT_EQ(server.heads().size(), 1U);
}

TEST_F(PlainHttpTest, SilenceEndsInTime) {
  TestServer server([](const std::string&) { return std::string("HTTP/1.1 200 OK\r\n"); });
  Request request = head(server.url("/v2/"));
  request.timeout = std::chrono::milliseconds(30);
  const auto answer = ask(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(answer.error().os_errno(), ETIMEDOUT);
}

TEST_F(PlainHttpTest, ACancelledBuildDoesNotWait) {
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
