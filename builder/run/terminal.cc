// SPDX-License-Identifier: Apache-2.0
#include "builder/run/terminal.h"

#include "snapshotter/base/sys.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstdlib>

namespace mybuild::run {

Result<PseudoTerminal> open_pseudo_terminal() {
  PseudoTerminal terminal;
  terminal.master = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.master || ::grantpt(terminal.master.get()) < 0 ||
      ::unlockpt(terminal.master.get()) < 0) {
    return os_error(errno, "make a pseudo-terminal");
  }
  // Not by its path: that may lead to another mount of devpts.
  terminal.slave = Fd(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave) {
    return os_error(errno, "open the pseudo-terminal");
  }
  TRY(sys::set_nonblocking(terminal.master.get(), true));
  return terminal;
}

void copy_window_size(int from, int to) {
  struct winsize size {};
  if (::ioctl(from, TIOCGWINSZ, &size) == 0) {
    ::ioctl(to, TIOCSWINSZ, &size);
  }
}

Result<RawMode> RawMode::enter(int fd) {
  Fd own = TRY(sys::dup(fd));
  struct termios before {};
  if (::tcgetattr(own.get(), &before) < 0) {
    return os_error(errno, "read the terminal's mode");
  }
  struct termios raw = before;
  ::cfmakeraw(&raw);
  if (::tcsetattr(own.get(), TCSANOW, &raw) < 0) {
    return os_error(errno, "set the terminal's mode");
  }
  return RawMode(std::move(own), before);
}

RawMode::RawMode(RawMode&& other) noexcept : fd_(std::move(other.fd_)), before_(other.before_) {}
RawMode::~RawMode() {
  if (fd_) {
    ::tcsetattr(fd_.get(), TCSANOW, &before_);
  }
}

}  // namespace mybuild::run
