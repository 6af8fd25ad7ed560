// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/signals.h"

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

namespace mybuild::cli {

Result<SignalGate> SignalGate::open() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction inherited {};
    // nohup and background jobs ignore signals on purpose.
    if (::sigaction(signal, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN) {
      sigaddset(&set, signal);
    }
  }
  if (const int failed = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); failed != 0) {
    return os_error(failed, "block signals");
  }
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) {
    return os_error(errno, "make a signal descriptor");
  }
  return SignalGate(std::move(fd));
}

Status SignalGate::run(std::function<void()> work, const std::function<void(int, int)>& on_signal) {
  const Fd ended(::eventfd(0, EFD_CLOEXEC));
  if (!ended) {
    return os_error(errno, "make an event descriptor");
  }
  std::thread worker([&] {
    work();
    const std::uint64_t one = 1;
    (void)sys::write_all(ended.get(), std::as_bytes(std::span(&one, 1)));
  });
  std::array<struct pollfd, 2> waits = {{{.fd = ended.get(), .events = POLLIN, .revents = 0},
                                         {.fd = fd_.get(), .events = POLLIN, .revents = 0}}};
  while (waits[0].revents == 0) {
    if (::poll(waits.data(), waits.size(), -1) > 0 && waits[1].revents != 0) {
      read_signal(on_signal);
    }
  }
  worker.join();
  return {};
}

void SignalGate::read_signal(const std::function<void(int, int)>& on_signal) {
  struct signalfd_siginfo info {};
  const auto got = sys::read(fd_.get(), std::as_writable_bytes(std::span(&info, 1)));
  if (!got || *got != sizeof info) {
    return;
  }
  const int signal = static_cast<int>(info.ssi_signo);
  first_ = first_.value_or(signal);
  on_signal(signal, ++count_);
}

}  // namespace mybuild::cli
