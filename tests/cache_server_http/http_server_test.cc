// SPDX-License-Identifier: Apache-2.0
// What the server says on a real socket, to clients that behave and to those that do not.
#include "builder/cache_server/http/http_server.h"

#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace mybuild::cache_server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// The bytes of one blob, in memory.
class TextBlob final : public BlobReader {
 public:
  explicit TextBlob(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::uint64_t offset, MutableByteSpan buffer) override {
    const auto part = as_bytes(text_).subspan(static_cast<std::size_t>(offset));
    const std::size_t count = std::min(part.size(), buffer.size());
    std::copy_n(part.begin(), count, buffer.begin());
    return count;
  }

 private:
  const std::string text_;
};

/// Answers when release() is called.
class Gate {
 public:
  class Pending final : public PendingAnswer {
   public:
    explicit Pending(Gate& gate) : gate_(gate) {}
    std::optional<Answer> poll() override {
      const std::lock_guard lock(gate_.mutex_);
      return gate_.is_open_ ? std::optional(json_answer(200, "open")) : std::nullopt;
    }
    void subscribe(std::function<void()> wake) override {
      const std::lock_guard lock(gate_.mutex_);
      gate_.wake_ = std::move(wake);
      gate_.waits_.notify_all();
    }
    std::chrono::steady_clock::time_point deadline() const override {
      return std::chrono::steady_clock::now() + std::chrono::seconds(30);
    }

   private:
    Gate& gate_;
  };
  void open() {
    std::unique_lock lock(mutex_);
    waits_.wait(lock, [this] { return static_cast<bool>(wake_); });
    is_open_ = true;
    wake_();
  }

 private:
  std::mutex mutex_;
  std::condition_variable waits_;
  bool is_open_ = false;
  std::function<void()> wake_;
};

/// /echo gives the body back, /blob a blob, /small takes 10 bytes, /refuse none, /wait waits.
class TestHandler final : public Handler {
 public:
  std::unique_ptr<Exchange> begin(Request request) override {
    if (request.path == "/echo") {
      return gather(1 << 20, request.body_size,
                    [](std::string body) { return json_answer(200, std::move(body)); });
    }
    if (request.path == "/small") {
      return gather(10, std::nullopt,
                    [](std::string body) { return json_answer(200, std::move(body)); });
    }
    if (request.path == "/blob") {
      return answer_with([] {
        auto blob = std::make_shared<TextBlob>("0123456789");
        return Outcome(Answer{.status = 206,
                              .headers = {},
                              .body = BlobRange{.blob = blob, .offset = 2, .size = 5},
                              .note = {}});
      });
    }
    if (request.path == "/wait") {
      return answer_with([this] { return Outcome(std::make_unique<Gate::Pending>(gate)); });
    }
    return refuse_with(error_answer(403, "DENIED", "not here"));
  }
  Gate gate;
};

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    settings_.head_time = std::chrono::seconds(1);
    settings_.stall_time = std::chrono::seconds(1);
    settings_.max_connections = 8;
    settings_.max_body_memory = 4 << 20;
    start();
  }
  void start() {
    Listener listener = listen_on({.host = "127.0.0.1", .port = 0, .socket_path = {}}).value();
    port_ = listener.port;
    std::vector<Listener> listeners;
    listeners.push_back(std::move(listener));
    server_ =
        make_http_server(settings_, std::move(listeners), handler_, [this](const Served& one) {
          const std::lock_guard lock(mutex_);
          served_.push_back(one);
        }).value();
    thread_ = std::thread([this] { EXPECT_TRUE(server_->run(cancel_)); });
  }
  void TearDown() override {
    cancel_.request(Error(ErrorKind::Cancelled, "over"));
    thread_.join();
  }

  Fd connect() const {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    return socket;
  }
  static void send(const Fd& socket, std::string_view text) {
    EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// All that comes until the server hangs up, or until `count` answers are there.
  static std::string receive(const Fd& socket, std::string_view until = {}) {
    std::string text;
    for (char buffer[4096];;) {
      if (!until.empty() && text.find(until) != std::string::npos) {
        return text;
      }
      pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 10'000) <= 0) {
        return text + "(nothing more in ten seconds)";
      }
      const ssize_t got = ::recv(socket.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) {
        return text;
      }
      text.append(buffer, static_cast<std::size_t>(got));
    }
  }
  std::string ask(std::string_view text) const {
    const Fd socket = connect();
    send(socket, text);
    return receive(socket);
  }

  HttpSettings settings_;
  TestHandler handler_;
  std::mutex mutex_;
  std::vector<Served> served_;
  Cancel cancel_;
  std::uint16_t port_ = 0;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpServerTest, RequestsFollowEachOtherOnOneConnection) {
  const Fd socket = connect();
  send(socket, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nfirst");
  EXPECT_THAT(receive(socket, "first"), StartsWith("HTTP/1.1 200 OK\r\n"));
  send(socket, "POST /echo HTTP/1.1\r\nContent-Length: 6\r\n\r\nsecond");
  EXPECT_THAT(receive(socket, "second"), HasSubstr("Content-Length: 6"));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(served_.front().bytes_in, 5U);
  EXPECT_EQ(served_.front().path, "/echo");
}

TEST_F(HttpServerTest, RequestsMayComeAllAtOnce) {
  const Fd socket = connect();
  send(socket,
       "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nonePOST /echo HTTP/1.1\r\n"
       "Content-Length: 3\r\n\r\ntwoGET /blob HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string text = receive(socket);
  EXPECT_THAT(text, HasSubstr("one"));
  EXPECT_THAT(text, HasSubstr("two"));
  EXPECT_THAT(text, EndsWith("23456"));
}

TEST_F(HttpServerTest, ABodyMayComeInChunksAndByBits) {
  const Fd socket = connect();
  const std::string request =
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "4\r\nhell\r\n3;x=y\r\no w\r\n4\r\norld\r\n0\r\n\r\n";
  for (const char byte : request) {
    send(socket, std::string_view(&byte, 1));
  }
  EXPECT_THAT(receive(socket), EndsWith("hello world"));
}

TEST_F(HttpServerTest, LargeBodiesOfBothKindsFollowEachOther) {
  const std::string part(300'000, 'x');
  const std::string chunk = "493e0\r\n" + part + "\r\n";
  const Fd socket = connect();
  std::thread sender([&] {
    send(socket, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk +
                     "0\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 600000\r\n\r\n" + part +
                     part + "GET /blob HTTP/1.1\r\nConnection: close\r\n\r\n");
  });
  const std::string text = receive(socket);
  sender.join();
  EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 1'200'000);
  EXPECT_THAT(text, EndsWith("23456"));
}

TEST_F(HttpServerTest, AnAnswerToHeadHasTheLengthOnly) {
  const std::string text = ask("HEAD /blob HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(text, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, ARefusedBodyIsNotAskedFor) {
  const std::string text =
      ask("PUT /refuse HTTP/1.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(text, HasSubstr("Connection: close"));
}

TEST_F(HttpServerTest, AnAcceptedBodyIsAskedFor) {
  const Fd socket = connect();
  send(socket, "PUT /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(receive(socket, "\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  send(socket, "ok");
  EXPECT_THAT(receive(socket, "ok"), HasSubstr("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ASmallRefusedBodyDoesNotCostTheConnection) {
  const Fd socket = connect();
  send(socket,
       "PUT /refuse HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /blob HTTP/1.1\r\nConnection: "
       "close\r\n\r\n");
  EXPECT_THAT(receive(socket), EndsWith("23456"));
}

TEST_F(HttpServerTest, ABodyThatIsTooLongIsRefusedInTheMiddle) {
  const std::string text = ask(
      "POST /small HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n123456789012\r\n0\r\n\r\n");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, WhatIsNoRequestIsRefused) {
  EXPECT_THAT(ask("hello\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /%zz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /%00 HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET http://else.where/ HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET / HTTP/2.0\r\n\r\n"), StartsWith("HTTP/1.1 505"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpServerTest, LengthsThatContradictEachOtherAreRefused) {
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: -3\r\n\r\nabc"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc"),
              testing::AnyOf(StartsWith("HTTP/1.1 400"), StartsWith("HTTP/1.1 501")));
}

TEST_F(HttpServerTest, WhoIsSlowIsHungUpOn) {
  const Fd head = connect();
  send(head, "GET /blob HT");
  const Fd body = connect();
  send(body, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(receive(head), "");
  EXPECT_EQ(receive(body), "");
}

TEST_F(HttpServerTest, TheOldestIdleConnectionMakesRoomForANewOne) {
  std::vector<Fd> idle;
  for (std::size_t i = 0; i < settings_.max_connections; ++i) {
    idle.push_back(connect());
    send(idle.back(), "GET /blob HTTP/1.1\r\n\r\n");
    EXPECT_THAT(receive(idle.back(), "23456"), StartsWith("HTTP/1.1 206"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // it is idle a moment later
  }
  EXPECT_THAT(ask("GET /blob HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("23456"));
  EXPECT_EQ(receive(idle.front()), "");
}

TEST_F(HttpServerTest, WhoHasNotFinishedAHeadMakesRoomForANewOne) {
  std::vector<Fd> slow;
  for (std::size_t i = 0; i < settings_.max_connections; ++i) {
    slow.push_back(connect());
    send(slow.back(), "GET /bl");
  }
  EXPECT_THAT(ask("GET /blob HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("23456"));
}

TEST_F(HttpServerTest, OneClientHoldsHalfOfTheMemoryAndNoMore) {
  std::vector<Fd> greedy;
  for (int i = 0; i < 2; ++i) {
    greedy.push_back(connect());
    send(greedy.back(), "POST /echo HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n");
    send(greedy.back(), std::string(512 << 10, 'x'));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const std::string text = ask("POST /echo HTTP/1.1\r\nContent-Length: 1048576\r\n\r\nx");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(text, HasSubstr("Retry-After: 1"));
}

TEST_F(HttpServerTest, OneTokenLeavesMemoryToOthersWhateverUserItNames) {
  const auto post = [](std::string_view credentials, std::size_t size) {
    return "POST /echo HTTP/1.1\r\nConnection: close\r\nAuthorization: " +
           std::string(credentials) + "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  };
  const Fd first = connect();
  const Fd second = connect();
  send(first, post("Basic YTpncmVlZHk=", 1 << 20) + std::string(512 << 10, 'x'));   // a:greedy
  send(second, post("Basic YjpncmVlZHk=", 1 << 20) + std::string(512 << 10, 'x'));  // b:greedy
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_THAT(ask(post("Bearer greedy", 5) + "hello"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask(post("Bearer modest", 300 << 10) + std::string(300 << 10, 'y')), EndsWith("yyy"));
}

TEST_F(HttpServerTest, WhoAnnouncesMuchAndSendsLittleKeepsNobodyOut) {
  std::vector<Fd> greedy;
  for (int i = 0; i < 6; ++i) {
    greedy.push_back(connect());
    send(greedy.back(), "POST /echo HTTP/1.1\r\nContent-Length: 1048576\r\n\r\nx");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"),
              EndsWith("hello"));
}

TEST_F(HttpServerTest, AnAnswerMayComeLater) {
  const Fd socket = connect();
  send(socket, "GET /wait HTTP/1.1\r\nConnection: close\r\n\r\n");
  handler_.gate.open();
  EXPECT_THAT(receive(socket), EndsWith("open"));
}

TEST_F(HttpServerTest, WhatRunsMayEndWhenTheServerStops) {
  const Fd idle = connect();
  const Fd busy = connect();
  send(busy, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  cancel_.request(Error(ErrorKind::Cancelled, "stop"));
  EXPECT_EQ(receive(idle), "");
  send(busy, "cde");
  EXPECT_THAT(receive(busy), EndsWith("abcde"));
}

}  // namespace
}  // namespace mybuild::cache_server
