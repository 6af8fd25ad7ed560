// SPDX-License-Identifier: Apache-2.0
#include "builder/run/relay.h"

#include "snapshotter/base/sys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::run {

namespace {

constexpr std::size_t kBuffer = 64 * 1024;
constexpr std::size_t kNeverBlocks = 4096;  // poll(2) promises that a pipe takes this much

bool is_file(int fd) {
  const Result<struct stat> info = sys::fstat(fd);
  return info && S_ISREG(info->st_mode);
}

bool try_later() {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

Relay::Relay(Fd from, Fd to)
    : from_(std::move(from)),
      to_(std::move(to)),
      most_(is_file(to_.get()) ? kBuffer : kNeverBlocks),
      buffer_(kBuffer) {}

struct pollfd Relay::wanted() const {
  if (ended()) {
    return {.fd = -1, .events = 0, .revents = 0};
  }
  if (holds_bytes()) {
    return {.fd = to_.get(), .events = POLLOUT, .revents = 0};
  }
  return {.fd = from_.get(), .events = POLLIN, .revents = 0};
}

void Relay::step() {
  if (ended()) {
    return;
  }
  if (holds_bytes()) {
    write_some();
  } else {
    read_some();
  }
}

void Relay::read_some() {
  const ssize_t count = ::read(from_.get(), buffer_.data(), buffer_.size());
  if (count > 0) {
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
  } else if (count == 0 || !try_later()) {  // a pseudo-terminal without a slave gives EIO
    end();
  }
}

void Relay::write_some() {
  const ssize_t count = ::write(to_.get(), buffer_.data() + begin_, std::min(end_ - begin_, most_));
  if (count >= 0) {
    begin_ += static_cast<std::size_t>(count);
  } else if (!try_later()) {
    end();
  }
}

void Relay::end() {
  from_.reset();
  to_.reset();
  begin_ = end_ = 0;
}

}  // namespace mybuild::run
