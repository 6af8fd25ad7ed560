// SPDX-License-Identifier: Apache-2.0
#include "builder/run/signals.h"

#include "snapshotter/base/sys.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace mybuild::run {

namespace {

constexpr int kForwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

// A signal handler can be handed nothing: this is the one place where the process itself is the
// owner.
std::atomic<int> catching_fd{-1};

extern "C" void catch_signal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  // A full pipe means that the program has thousands of signals to look at already.
  [[maybe_unused]] const ssize_t written = ::write(catching_fd.load(), &byte, 1);
  errno = saved;
}

}  // namespace

Result<SignalCatcher> SignalCatcher::start() {
  Pipe pipe = TRY(sys::pipe());
  TRY(sys::set_nonblocking(pipe.write_end.get(), true));
  SignalCatcher catcher(std::move(pipe));
  int nobody = -1;
  if (!catching_fd.compare_exchange_strong(nobody, catcher.pipe_.write_end.get())) {
    return catcher;
  }
  struct sigaction action {};
  action.sa_handler = catch_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (const int number : kForwarded) {
    struct sigaction before {};
    ::sigaction(number, nullptr, &before);
    if (number != SIGHUP || before.sa_handler != SIG_IGN) {
      ::sigaction(number, &action, nullptr);
      catcher.before_.emplace_back(number, before);
    }
  }
  return catcher;
}

SignalCatcher::SignalCatcher(SignalCatcher&& other) noexcept
    : pipe_(std::move(other.pipe_)), before_(std::exchange(other.before_, {})) {}

SignalCatcher::~SignalCatcher() {
  for (const auto& [number, before] : before_) {
    ::sigaction(number, &before, nullptr);
  }
  int mine = pipe_.write_end.get();
  if (mine >= 0) {
    catching_fd.compare_exchange_strong(mine, -1);
  }
}

void SignalCatcher::unblock_in_this_thread() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kForwarded) {
    sigaddset(&set, number);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace mybuild::run
