// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/lock_wait.h"

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <thread>

namespace mybuild {

namespace {

/// By default it does nothing, so a stray one harms nobody.
constexpr int kWakeSignal = SIGURG;
/// A signal that comes just before the thread enters the call is lost, so it is sent again.
constexpr int kSignalAgainMilliseconds = 1;

/// Without SA_RESTART, so that the call returns.
void install_wake_signal() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(kWakeSignal, &action, nullptr) == 0;
  }();
  (void)installed;
}

/// A thread in a call that takes a lock. Thread-compatible.
class Waiter {
 public:
  explicit Waiter(const std::function<int()>& take)
      : done_(::eventfd(0, EFD_CLOEXEC)), thread_([this, &take] { wait(take); }) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { give_up(); }

  /// Readable once the wait is over.
  int fd() const { return done_.get(); }
  /// 0: the lock is ours; after the end only.
  int error() {
    give_up();
    return error_;
  }

 private:
  void wait(const std::function<int()>& take) {
    sigset_t wake;
    ::sigemptyset(&wake);
    ::sigaddset(&wake, kWakeSignal);
    ::pthread_sigmask(SIG_UNBLOCK, &wake, nullptr);
    error_ = EINTR;
    while (error_ == EINTR && !stop_) {
      error_ = take();
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(done_.get(), &one, sizeof one);
  }

  void give_up() {
    if (!thread_.joinable()) {
      return;
    }
    stop_ = true;
    struct pollfd done {
      .fd = done_.get(), .events = POLLIN, .revents = 0
    };
    while (::poll(&done, 1, 0) <= 0) {
      ::pthread_kill(thread_.native_handle(), kWakeSignal);
      ::poll(&done, 1, kSignalAgainMilliseconds);
    }
    thread_.join();
  }

  const Fd done_;
  std::atomic<bool> stop_{false};
  int error_ = 0;
  std::thread thread_;
};

}  // namespace

Status wait_for_lock(const std::string& what, const std::function<int()>& take,
                     const Cancel& cancel) {
  install_wake_signal();
  Waiter waiter(take);
  struct pollfd either[] = {{.fd = waiter.fd(), .events = POLLIN, .revents = 0},
                            {.fd = cancel.fd(), .events = POLLIN, .revents = 0}};
  while (::poll(either, 2, -1) < 0 && errno == EINTR) {
  }
  TRY(cancel.check());
  if (const int error = waiter.error(); error != 0) {
    return os_error(error, "lock " + what);
  }
  return {};
}

Result<FileLock> FileLock::acquire(const std::string& path, Mode mode, const Cancel& cancel) {
  if (std::optional<FileLock> lock = TRY(try_acquire(path, mode))) {
    return std::move(*lock);
  }
  FileLock lock(TRY(sys::open(path, O_RDWR | O_CREAT, 0600)));
  const int operation = mode == Mode::Shared ? LOCK_SH : LOCK_EX;
  const std::function<int()> take = [&]() -> int {
    return ::flock(lock.fd_.get(), operation) == 0 ? 0 : errno;
  };
  TRY(wait_for_lock(path, take, cancel));
  return lock;
}

}  // namespace mybuild
