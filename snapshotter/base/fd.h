// SPDX-License-Identifier: Apache-2.0
// Fd: an owned file descriptor. Every descriptor of the program is made with O_CLOEXEC and lives in
// one of these. Move-only, thread-compatible.
#pragma once

#include <unistd.h>

#include <utility>

namespace mybuild {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read_end;
  Fd write_end;
};

struct SocketPair {
  Fd parent;
  Fd child;
};

}  // namespace mybuild
