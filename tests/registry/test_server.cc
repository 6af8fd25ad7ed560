// SPDX-License-Identifier: Apache-2.0
#include "tests/registry/test_server.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace mybuild::registry {

TestServer::TestServer(Handler handler)
    : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener_.get(), generic, length), 0);
  EXPECT_EQ(::listen(listener_.get(), 16), 0);
  EXPECT_EQ(::getsockname(listener_.get(), generic, &length), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

TestServer::~TestServer() {
  closing_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) {
      ::shutdown(fd, SHUT_RDWR);
    }
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

std::string TestServer::url(const std::string& path, const std::string& host) const {
  return fmt::format("http://{}:{}{}", host, port_, path);
}

std::vector<std::string> TestServer::heads() {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void TestServer::accept_loop() {
  while (!closing_) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void TestServer::serve(int fd) {
  std::string pending;
  char buffer[4096];
  for (;;) {
    const std::size_t end = pending.find("\r\n\r\n");
    if (end == std::string::npos) {
      const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0) {
        break;
      }
      pending.append(buffer, static_cast<std::size_t>(count));
      continue;
    }
    const std::string head = pending.substr(0, end + 2);
    pending.erase(0, end + 4);
    {
      const std::lock_guard lock(mutex_);
      heads_.push_back(head);
    }
    const std::string answer = handler_(head);
    if (answer.find("X-Trickle") != std::string::npos) {
      trickle(fd, answer);
      break;
    }
    if (answer.empty() || ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0 ||
        answer.find("Connection: close") != std::string::npos) {
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

void TestServer::trickle(int fd, const std::string& answer) const {
  for (std::size_t i = 0; i < answer.size() && !closing_; ++i) {
    if (::send(fd, answer.data() + i, 1, MSG_NOSIGNAL) < 0) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::string http_answer(int status, const std::string& body, const std::string& headers) {
  return fmt::format("HTTP/1.1 {} x\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     headers, body);
}

}  // namespace mybuild::registry
