// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/limited_read.h"

#include "snapshotter/base/sys.h"

#include <poll.h>

#include <array>
#include <cerrno>

namespace mybuild::secrets {

namespace {

constexpr int kFirstWriterMs = 10000;

Error too_big(std::size_t limit) {
  return invalid_argument("too big. max size {}KB", limit >> 10U);
}

/// False when nothing happened for `timeout_ms`.
Result<bool> wait_readable(int fd, const Cancel& cancel, int timeout_ms) {
  std::array<struct pollfd, 2> entries{{{.fd = fd, .events = POLLIN, .revents = 0},
                                        {.fd = cancel.fd(), .events = POLLIN, .revents = 0}}};
  const int ready = ::poll(entries.data(), entries.size(), timeout_ms);
  if (ready < 0 && errno != EINTR) {
    return os_error(errno, "wait for a secret");
  }
  TRY(cancel.check());
  return ready != 0;
}

}  // namespace

Result<Fd> open_for_reading(const std::string& path, std::size_t limit) {
  Fd file = TRY(sys::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const struct stat info = TRY(sys::fstat(file.get()));
  if (S_ISDIR(info.st_mode)) {
    return invalid_argument("{} is a directory", path);
  }
  if (S_ISREG(info.st_mode) && info.st_size > static_cast<off_t>(limit)) {
    return too_big(limit);
  }
  return file;
}

Result<std::string> read_limited(int fd, std::size_t limit, const Cancel& cancel) {
  const struct stat info = TRY(sys::fstat(fd));
  std::string text;
  std::string buffer(limit + 1, '\0');
  int timeout_ms = kFirstWriterMs;
  while (true) {
    const bool readable = TRY(wait_readable(fd, cancel, timeout_ms));
    const Result<std::size_t> size =
        sys::read(fd, std::as_writable_bytes(std::span(buffer)).first(limit + 1 - text.size()));
    const bool nothing_yet = !size && size.error().os_errno() == EAGAIN;
    if (nothing_yet && (readable || S_ISFIFO(info.st_mode))) {
      timeout_ms = -1;  // somebody is there who will write
      continue;
    }
    if (!readable && (nothing_yet || (size && *size == 0))) {
      return invalid_argument("nobody writes into it");
    }
    if (!size) {
      return size.error();
    }
    if (*size == 0) {
      return text;
    }
    text.append(buffer, 0, *size);
    if (text.size() > limit) {
      return too_big(limit);
    }
    timeout_ms = -1;
  }
}

}  // namespace mybuild::secrets
