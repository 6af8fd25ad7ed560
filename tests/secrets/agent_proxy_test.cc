// SPDX-License-Identifier: Apache-2.0
// What a hostile step can send, and what reaches the agent.
#include "builder/secrets/agent_proxy.h"

#include "builder/secrets/agent_protocol.h"
#include "builder/secrets/socket_agent.h"
#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

namespace mybuild::secrets {
namespace {

using namespace std::chrono_literals;

/// Answers everything with what it is told to, and counts.
class FakeAgent final : public SshAgent {
 public:
  Result<std::string> ask(std::string_view request, const Cancel& cancel) override {
    ++asked;
    last = request;
    while (hangs && !cancel.requested()) {
      std::this_thread::sleep_for(1ms);
    }
    return reply;
  }
  std::atomic<int> asked = 0;
  std::atomic<bool> hangs = false;
  std::string last;
  std::string reply = std::string("\x0c\0\0\0\0", 5);
};

class AgentProxyTest : public testing::Test {
 protected:
  AgentProxyTest() : dir_(std::move(TempDir::create()).value()) {
    Fd socket = std::move(AgentProxy::open_socket()).value();
    listener_ = Fd(::dup(socket.get()));
    std::vector<AgentProxy::Served> served;
    served.push_back({.socket = std::move(socket), .agent = &agent_});
    proxy_ = std::move(AgentProxy::start(std::move(served))).value();
    listen();
  }

  std::string path() const { return dir_.path() + "/s"; }
  struct sockaddr_un address() const {
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    return address;
  }
  /// As the sandbox does, some time after the proxy has begun.
  void listen() {
    const auto where = address();
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    ASSERT_EQ(::listen(listener_.get(), 128), 0);
    listener_.reset();
  }
  Fd connect() const {
    Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto where = address();
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    const struct timeval patience { .tv_sec = 5, .tv_usec = 0 };
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return client;
  }
  static void send(const Fd& client, std::string_view bytes) {
    (void)::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// The next message; "closed" at the end.
  static std::string receive(const Fd& client) {
    std::string length(4, '\0');
    if (::recv(client.get(), length.data(), 4, MSG_WAITALL) != 4) {
      return "closed";
    }
    std::string message(*WireReader(length).number(), '\0');
    (void)::recv(client.get(), message.data(), message.size(), MSG_WAITALL);
    return message;
  }
  static std::string framed(std::string_view message) {
    return WireWriter().string(message).take();
  }
  std::string ask(std::string_view message) const {
    const Fd client = connect();
    send(client, framed(message));
    return receive(client);
  }

  TempDir dir_;
  FakeAgent agent_;
  Fd listener_;
  std::unique_ptr<AgentProxy> proxy_;
};

TEST_F(AgentProxyTest, ARequestAndItsAnswerPass) {
  const Fd client = connect();
  for (int i = 0; i < 3; ++i) {  // one connection for many
    send(client, framed("\x0b"));
    EXPECT_EQ(receive(client), agent_.reply);
  }
  EXPECT_EQ(agent_.asked, 3);
}

TEST_F(AgentProxyTest, RequestsMayComeInPiecesOrTogether) {
  const Fd client = connect();
  for (const char c : framed("\x0b") + framed("\x0b")) {
    send(client, {&c, 1});
    std::this_thread::sleep_for(1ms);
  }
  send(client, framed("\x0b") + framed("\x11") + framed("\x0b"));
  EXPECT_EQ(receive(client), agent_.reply);
  EXPECT_EQ(receive(client), agent_.reply);
  EXPECT_EQ(receive(client), agent_.reply);
  EXPECT_EQ(receive(client), failure_message());
  EXPECT_EQ(receive(client), agent_.reply);
}

TEST_F(AgentProxyTest, WhatWouldChangeTheAgentNeverReachesIt) {
  for (const int type : {1, 9, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 255}) {
    EXPECT_EQ(ask(std::string(1, static_cast<char>(type)) + "rest"), failure_message()) << type;
  }
  EXPECT_EQ(agent_.asked, 0);
}

TEST_F(AgentProxyTest, AnswersOfTheWrongKindStayHere) {
  agent_.reply = "\x0esignature";
  EXPECT_EQ(ask("\x0b"), failure_message());
  agent_.reply = "\x0c" + std::string(kMaxMessage, 'x');
  EXPECT_EQ(ask("\x0b"), failure_message());
}

TEST_F(AgentProxyTest, ImpossibleLengthsEndTheConversation) {
  for (const std::string& length :
       {std::string(4, '\0'), std::string("\0\4\0\1", 4), std::string("\xff\xff\xff\xff"),
        std::string("SSH-2.0-x\r\n")}) {
    const Fd client = connect();
    send(client, length);
    EXPECT_EQ(receive(client), "closed");
  }
  EXPECT_EQ(agent_.asked, 0);
  EXPECT_EQ(ask("\x0b"), agent_.reply);
}

TEST_F(AgentProxyTest, NoiseDoesNotDisturbOthers) {
  std::minstd_rand random(1);
  std::vector<Fd> noisy;
  for (int i = 0; i < 200; ++i) {
    noisy.push_back(connect());
    std::string bytes(random() % 5000, '\0');
    for (char& c : bytes) {
      c = static_cast<char>(random());
    }
    bytes[0] = bytes[1] = 0;  // a possible length
    send(noisy.back(), bytes);
    if (i % 3 == 0) {
      noisy.erase(noisy.begin());
    }
  }
  noisy.clear();
  EXPECT_EQ(ask("\x0b"), agent_.reply);
  EXPECT_EQ(agent_.asked, 1);
}

TEST_F(AgentProxyTest, AClientThatDoesNotReadHoldsNobodyUp) {
  agent_.reply = "\x0c" + std::string(kMaxMessage - 1, 'x');
  const Fd lazy = connect();
  for (int i = 0; i < 5; ++i) {
    send(lazy, framed("\x0b"));
  }
  EXPECT_EQ(ask("\x0b"), agent_.reply);
  EXPECT_EQ(receive(lazy), agent_.reply);
}

TEST_F(AgentProxyTest, IdleClientsBeyondTheLimitWaitForTheirTurn) {
  std::vector<Fd> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(connect());
  }
  const Fd late = connect();
  send(late, framed("\x0b"));
  idle.clear();
  EXPECT_EQ(receive(late), agent_.reply);
}

TEST_F(AgentProxyTest, TheEndOfAStepEndsItsConversations) {
  agent_.hangs = true;  // as one that waits for a person
  const Fd client = connect();
  send(client, framed("\x0b"));
  while (agent_.asked == 0) {
    std::this_thread::sleep_for(1ms);
  }
  proxy_.reset();
  EXPECT_NE(receive(client), agent_.reply);
  const auto where = address();
  const Fd late(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(late.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
}

TEST_F(AgentProxyTest, AnAgentBehindASocketIsAskedThroughIt) {
  const auto agent = open_socket_agent(path());
  ASSERT_TRUE(agent) << agent.error().message();
  const Cancel cancel;
  const auto reply = (*agent)->ask("\x0b", cancel);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(*reply, agent_.reply);
  proxy_.reset();
  EXPECT_FALSE((*agent)->ask("\x0b", cancel));
  EXPECT_FALSE(open_socket_agent(path()));
}

}  // namespace
}  // namespace mybuild::secrets
