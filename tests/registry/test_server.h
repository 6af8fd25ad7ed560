// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server on a loopback port for tests: each request is handed to a function that
// writes raw bytes.
#pragma once

#include "snapshotter/base/fd.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mybuild::registry {

class TestServer {
 public:
  /// Gets the request's head; what it returns is sent, byte by byte if it has "X-Trickle". ""
  /// closes the connection without an answer.
  using Handler = std::function<std::string(const std::string& head)>;
  explicit TestServer(Handler handler);
  ~TestServer();

  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const;
  int port() const { return port_; }
  std::vector<std::string> heads();
  int connections() const { return connections_; }

 private:
  void accept_loop();
  void serve(int fd);
  void trickle(int fd, const std::string& answer) const;

  Handler handler_;
  Fd listener_;
  int port_ = 0;
  std::atomic<bool> closing_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<std::string> heads_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

std::string http_answer(int status, const std::string& body, const std::string& headers = {});

}  // namespace mybuild::registry
