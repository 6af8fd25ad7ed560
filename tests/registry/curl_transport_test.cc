// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/transport.h"
#include "tests/registry/test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace mybuild::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

class Collected final : public BodySink {
 public:
  Status begin(const Response& response) override {
    status = response.status;
    return {};
  }
  Status write(ByteSpan bytes) override {
    text += as_text(bytes);
    if (refuse) {
      return *refuse;
    }
    return {};
  }
  int status = 0;
  std::string text;
  std::optional<Error> refuse;
};

/// Both ways to a server of this machine keep the same promises.
class Transports : public testing::TestWithParam<LocalRequests> {
 protected:
  Result<Response> get(const std::string& url, std::vector<std::string> headers = {}) {
    Request request;
    request.url = url;
    request.headers = std::move(headers);
    return transport_->send(request, body_, cancel_);
  }

  std::unique_ptr<Transport> transport_ = make_lazy_curl_transport(GetParam());
  Cancel cancel_;
  Collected body_;
};

TEST_P(Transports, ASocketIsNamedWhereNobodyListens) {
  Request request;
  request.method = "POST";
  request.url = "http://localhost/cache/v1/lookup/-";
  request.unix_socket = "/nowhere/cache.sock";
  const auto response = transport_->send(request, body_, cancel_);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message(),
            "POST /cache/v1/lookup/- at unix:/nowhere/cache.sock: no such file or directory");
}

TEST_P(Transports, IsAskedWhileItLoads) {
  TestServer server([](const std::string&) { return http_answer(200, ""); });
  std::thread loading([this] { transport_->load(); });
  Request request;
  request.method = "HEAD";
  request.url = server.url("/v2/x/manifests/1");
  for (int i = 0; i < 20; ++i) {
    const auto response = transport_->send(request, body_, cancel_);
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200);
  }
  loading.join();
  EXPECT_TRUE(get(server.url("/x")));
}

TEST_P(Transports, GivesStatusHeadersAndBody) {
  TestServer server(
      [](const std::string&) { return http_answer(200, "hello", "X-One: 1\r\nx-one: 2\r\n"); });
  const auto response = get(server.url("/x"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->header("x-one"), "1, 2");
  EXPECT_EQ(body_.status, 200);
  EXPECT_EQ(body_.text, "hello");
  EXPECT_THAT(server.heads()[0], HasSubstr("User-Agent: mybuild/"));
}

TEST_P(Transports, AnEmptyAnswerStillBeginsTheBody) {
  TestServer server([](const std::string&) { return http_answer(200, ""); });
  ASSERT_TRUE(get(server.url("/x")));
  EXPECT_EQ(body_.status, 200);
}

TEST_P(Transports, BodiesOfErrorsAreKeptApartAndCut) {
  TestServer server([](const std::string&) { return http_answer(404, std::string(1 << 20, 'e')); });
  const auto response = get(server.url("/x"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->error_text.size(), 64u << 10);
  EXPECT_EQ(body_.text, "");
}

TEST_P(Transports, ConnectionsAreUsedAgain) {
  TestServer server([](const std::string&) { return http_answer(200, "x"); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(get(server.url("/x")));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_P(Transports, ManyThreadsMaySendAtOnce) {
  TestServer server(
      [](const std::string& head) { return http_answer(200, head.substr(0, head.find(' ', 4))); });
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        Request request;
        request.url = server.url(fmt::format("/{}", i));
        Collected body;
        const auto response = transport_->send(request, body, cancel_);
        right += response && body.text == fmt::format("GET /{}", i) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, 80);
  EXPECT_LE(server.connections(), 8);
}

TEST_P(Transports, ARedirectIsFollowedWithoutTheAuthorization) {
  TestServer storage([](const std::string&) { return http_answer(200, "blob", "X-End: 1\r\n"); });
  TestServer registry([&](const std::string&) {
    return http_answer(307, "moved",
                       "X-Start: 1\r\nLocation: " + storage.url("/y", "localhost") + "\r\n");
  });
  const auto response = get(registry.url("/x"), {"Authorization: Bearer secret"});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(body_.text, "blob");
  EXPECT_EQ(response->header("x-start"), "");
  EXPECT_EQ(response->header("x-end"), "1");
  EXPECT_EQ(response->origin + "/y", storage.url("/y", "localhost"));
  EXPECT_THAT(registry.heads()[0], HasSubstr("secret"));
  EXPECT_THAT(storage.heads()[0], Not(HasSubstr("secret")));
}

TEST_P(Transports, RedirectsToOtherProtocolsAreRefused) {
  TestServer server(
      [](const std::string&) { return http_answer(302, "", "Location: file:///etc/passwd\r\n"); });
  const auto response = get(server.url("/x"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::Denied);
  EXPECT_FALSE(get("file:///etc/passwd"));
  EXPECT_EQ(body_.text, "");
}

TEST_P(Transports, EndlessRedirectsEnd) {
  TestServer server(
      [](const std::string&) { return http_answer(302, "", "Location: /again\r\n"); });
  EXPECT_FALSE(get(server.url("/x")));
  const unsigned found_out = GetParam() == LocalRequests::WithoutLibcurl ? 1 : 0;
  EXPECT_EQ(server.heads().size(), 11U + found_out);
}

TEST_P(Transports, ABrokenAnswerIsUnavailable) {
  TestServer silent([](const std::string&) { return std::string(); });
  EXPECT_EQ(get(silent.url("/x")).error().kind(), ErrorKind::Unavailable);
  TestServer cut([](const std::string&) {
    return std::string("HTTP/1.1 200 x\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123");
  });
  EXPECT_EQ(get(cut.url("/x")).error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(body_.text, "0123");
}

TEST_P(Transports, ARefusedConnectionIsUnavailableAndNamesTheUrlWithoutItsSecrets) {
  std::string url;
  {
    TestServer gone([](const std::string&) { return std::string(); });
    url = gone.url("/x");
  }
  const auto response = get(url + "?signature=secret");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::Unavailable);
  EXPECT_THAT(response.error().message(), HasSubstr(url));
  EXPECT_THAT(response.error().message(), Not(HasSubstr("secret")));
}

TEST_P(Transports, TooManyHeadersAreRefused) {
  TestServer server([](const std::string&) {
    std::string headers;
    for (int i = 0; i < 3000; ++i) {
      headers += fmt::format("X-{}: {}\r\n", i, std::string(100, 'h'));
    }
    return http_answer(200, "x", headers);
  });
  EXPECT_FALSE(get(server.url("/x")));
}

TEST_P(Transports, TheSinksErrorComesBack) {
  TestServer server([](const std::string&) { return http_answer(200, "x"); });
  body_.refuse = data_loss("not these bytes");
  EXPECT_EQ(get(server.url("/x")).error().kind(), ErrorKind::DataLoss);
}

TEST_P(Transports, AnAnswerThatTricklesIsUnavailable) {
  TestServer server([](const std::string&) {
    return http_answer(200, std::string(4000, 'x'), "X-Trickle: 1\r\n");
  });
  Request request;
  request.url = server.url("/x");
  request.patience = std::chrono::seconds(1);
  const auto response = transport_->send(request, body_, cancel_);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::Unavailable);
  EXPECT_THAT(response.error().message(), HasSubstr(" bytes moved in "));
  EXPECT_LT(body_.text.size(), 4000U);
}

TEST_P(Transports, WhoHasThePatienceGetsAllOfIt) {
  TestServer server([](const std::string&) {
    return http_answer(200, std::string(300, 'x'), "X-Trickle: 1\r\n");
  });
  Request request;
  request.url = server.url("/x");
  request.patience.reset();
  ASSERT_TRUE(transport_->send(request, body_, cancel_));
  EXPECT_EQ(body_.text.size(), 300U);
}

TEST_P(Transports, ARequestEndsWhenItsTimeIsOver) {
  TestServer server([](const std::string&) {
    return http_answer(200, std::string(2000, 'x'), "X-Trickle: 1\r\n");
  });
  Request request;
  request.url = server.url("/x");
  request.timeout = std::chrono::milliseconds(60);
  const auto begun = std::chrono::steady_clock::now();
  const auto response = transport_->send(request, body_, cancel_);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(response.error().os_errno(), ETIMEDOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_P(Transports, ACancelEndsAStuckRequestAtOnce) {
  std::atomic<bool> release{false};
  TestServer server([&](const std::string&) {
    while (!release) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return std::string();
  });
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel_.request(make_error(ErrorKind::Cancelled, "interrupted"));
  });
  const auto start = std::chrono::steady_clock::now();
  const auto response = get(server.url("/x"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(700));
  EXPECT_EQ(response.error().kind(), ErrorKind::Cancelled);
  canceller.join();
  release = true;
}

INSTANTIATE_TEST_SUITE_P(Ways, Transports,
                         testing::Values(LocalRequests::WithoutLibcurl, LocalRequests::ByLibcurl),
                         [](const auto& way) {
                           return way.param == LocalRequests::ByLibcurl ? "libcurl" : "plain";
                         });

}  // namespace
}  // namespace mybuild::registry
