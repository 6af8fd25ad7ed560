// SPDX-License-Identifier: Apache-2.0
#include "builder/run/relay.h"

#include <unistd.h>

#include <cerrno>

namespace mybuild::run {

namespace {

bool try_later() {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

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
  const ssize_t count = ::write(to_.get(), buffer_.data() + begin_, end_ - begin_);
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
