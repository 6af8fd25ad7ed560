// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/prompt.h"

#include "cmd/mybuild/cli/command.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace mybuild::cli {

namespace {

constexpr std::size_t kLongest = 1 << 20;

/// Puts the terminal back when it goes.
class Quiet {
 public:
  explicit Quiet(Echo echo) {
    if (echo == Echo::Off && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
      termios silent = before_;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() {
    if (changed_) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
      print_err("\n");  // the one that was typed was not shown
    }
  }

 private:
  termios before_{};
  bool changed_ = false;
};

Result<std::size_t> read_or_cancel(MutableByteSpan buffer, const Cancel& cancel) {
  std::array<pollfd, 2> waits{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{cancel.fd(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0) {
    if (errno != EINTR) {
      return os_error(errno, "wait for standard input");
    }
  }
  TRY(cancel.check());
  return sys::read(STDIN_FILENO, buffer);
}

}  // namespace

Result<std::string> ask(std::string_view question, Echo echo, const Cancel& cancel) {
  const Quiet quiet(echo);
  print_err(question);
  std::string line;
  char c = 0;
  while (line.size() < kLongest &&
         TRY(read_or_cancel(std::as_writable_bytes(std::span(&c, 1)), cancel)) == 1 && c != '\n') {
    line += c;
  }
  return line;
}

Result<std::string> read_secret_from_stdin(const Cancel& cancel) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t count =
        TRY(read_or_cancel(std::as_writable_bytes(std::span(buffer)), cancel));
    text.append(buffer.data(), count);
    if (count == 0) {
      break;
    }
    if (text.size() > kLongest) {
      return invalid_argument("standard input holds more than {} bytes: not a password", kLongest);
    }
  }
  for (const char end : {'\n', '\r'}) {
    if (text.ends_with(end)) {
      text.pop_back();
    }
  }
  return text;
}

}  // namespace mybuild::cli
