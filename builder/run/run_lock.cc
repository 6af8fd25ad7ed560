// SPDX-License-Identifier: Apache-2.0
#include "builder/run/run_lock.h"

#include "snapshotter/base/sys.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::run {

namespace {

constexpr int kFlags = O_RDWR | O_NONBLOCK | O_NOFOLLOW;

Result<Fd> open_or_make(const std::string& path) {
  Result<Fd> fd = sys::open(path, kFlags);
  if (fd || fd.error().os_errno() != ENOENT) {
    return fd;
  }
  TRY(sys::mknod_at(AT_FDCWD, path, S_IFIFO | 0600, 0));
  return sys::open(path, kFlags);
}

/// While it lives, writing to a FIFO that nobody reads is an error of the write and nothing more.
class PipeSignalHeld {
 public:
  PipeSignalHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalHeld() {
    constexpr struct timespec kNow {};
    if (sigismember(&before_, SIGPIPE) == 0) {
      ::sigtimedwait(&pipe_, nullptr, &kNow);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace

Result<std::optional<RunLock>> RunLock::try_acquire(const std::string& path) {
  Fd fd = TRY(open_or_make(path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) {
      return std::optional<RunLock>();
    }
    return os_error(errno, "lock " + path);
  }
  return std::optional(RunLock(path, std::move(fd)));
}

RunLock::RunLock(RunLock&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

RunLock::~RunLock() {
  if (fd_) {
    (void)sys::unlink_at(AT_FDCWD, path_);  // while it is locked: a new one is never taken away
  }
}

Result<std::optional<RunningPeer>> RunningPeer::reach(const std::string& path) {
  Result<Fd> fd = sys::open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  if (fd) {
    return std::optional(RunningPeer(std::move(fd).value()));
  }
  const int error = fd.error().os_errno();
  if (error == ENOENT || error == ENXIO) {
    return std::optional<RunningPeer>();
  }
  return fd.error();
}

Status RunningPeer::send(int signal) {
  const auto byte = static_cast<std::byte>(signal);
  const PipeSignalHeld held;
  Status sent = sys::write_all(fd_.get(), {&byte, 1});
  return !sent && sent.error().os_errno() == EPIPE ? Status() : sent;  // it has just ended
}

Result<bool> RunningPeer::wait_for_end(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    struct pollfd entry = {.fd = fd_.get(), .events = 0, .revents = 0};
    const int wait = timeout.count() < 0 ? -1 : static_cast<int>(std::max(left.count(), 0L));
    const int ready = ::poll(&entry, 1, wait);
    if (ready > 0) {
      return true;  // a FIFO without a reader is an error for its writer
    }
    if (ready == 0) {
      return false;
    }
    if (errno != EINTR) {
      return os_error(errno, "wait for a container");
    }
  }
}

}  // namespace mybuild::run
