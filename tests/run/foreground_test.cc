// SPDX-License-Identifier: Apache-2.0
#include "builder/run/foreground.h"

#include "builder/run/relay.h"
#include "builder/run/terminal.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace mybuild::run {
namespace {

using testing::HasSubstr;

/// Our side of a run: streams that are pipes, or a terminal of which the test is the screen and the
/// keys.
class ForegroundTest : public testing::Test {
 protected:
  ForegroundOptions piped(bool interactive) {
    in_ = sys::pipe().value();
    out_ = sys::pipe().value();
    return {.interactive = interactive,
            .terminal = false,
            .in = in_.read_end.get(),
            .out = out_.write_end.get(),
            .err = out_.write_end.get()};
  }

  ForegroundOptions on_terminal(bool interactive, bool terminal) {
    screen_ = open_pseudo_terminal().value();
    const int ours = screen_.slave.get();
    return {.interactive = interactive, .terminal = terminal, .in = ours, .out = ours, .err = ours};
  }

  struct termios mode() const {
    struct termios mode {};
    ::tcgetattr(screen_.slave.get(), &mode);
    return mode;
  }

  /// Reads until `text` has come.
  static std::string read_until(int fd, const std::string& text) {
    std::string got;
    char buffer[4096];
    while (got.find(text) == std::string::npos &&
           sys::poll_readable(fd, std::chrono::seconds(5)).value_or(false)) {
      const ssize_t count = ::read(fd, buffer, sizeof buffer);
      if (count <= 0) {
        break;
      }
      got.append(buffer, static_cast<std::size_t>(count));
    }
    return got;
  }

  static int next_signal(const Foreground& foreground) {
    unsigned char number = 0;
    if (!sys::poll_readable(foreground.signals(), std::chrono::seconds(5)).value_or(false)) {
      return -1;
    }
    return ::read(foreground.signals(), &number, 1) == 1 ? number : -1;
  }

  Pipe in_;
  Pipe out_;
  PseudoTerminal screen_;
};

TEST_F(ForegroundTest, StreamsThatAreNoTerminalAreHandedOn) {
  const auto foreground = Foreground::start(piped(true)).value();
  sandbox::Stdio stdio = foreground->take_stdio();
  ASSERT_TRUE(sys::write_all(in_.write_end.get(), as_bytes("input")));
  EXPECT_EQ(read_until(stdio.in.get(), "input"), "input");
  ASSERT_TRUE(sys::write_all(stdio.err.get(), as_bytes("output")));
  EXPECT_EQ(read_until(out_.read_end.get(), "output"), "output");
}

TEST_F(ForegroundTest, WithoutInteractiveTheInputIsEmpty) {
  const auto foreground = Foreground::start(piped(false)).value();
  const sandbox::Stdio stdio = foreground->take_stdio();
  ASSERT_TRUE(sys::write_all(in_.write_end.get(), as_bytes("input")));
  std::byte buffer[8];
  EXPECT_EQ(sys::read(stdio.in.get(), buffer).value(), 0U);
}

TEST_F(ForegroundTest, WithoutATerminalTheProgramNeverSeesOurs) {
  const auto foreground = Foreground::start(on_terminal(true, false)).value();
  sandbox::Stdio stdio = foreground->take_stdio();
  EXPECT_EQ(::isatty(stdio.in.get()) + ::isatty(stdio.out.get()) + ::isatty(stdio.err.get()), 0);
  ASSERT_TRUE(sys::write_all(screen_.master.get(), as_bytes("typed\n")));
  EXPECT_EQ(read_until(stdio.in.get(), "typed\n"), "typed\n");
  ASSERT_TRUE(sys::write_all(stdio.out.get(), as_bytes("shown")));
  EXPECT_THAT(read_until(screen_.master.get(), "shown"), HasSubstr("shown"));
}

TEST_F(ForegroundTest, TheLastWordsOfAProgramArePassedOn) {
  auto foreground = Foreground::start(on_terminal(false, true)).value();
  {
    const sandbox::Stdio stdio = foreground->take_stdio();
    ASSERT_TRUE(sys::write_all(stdio.out.get(), as_bytes(std::string(3000, '.') + "end")));
  }
  foreground->finish();
  EXPECT_THAT(read_until(screen_.master.get(), "end"), HasSubstr("..end"));
}

TEST_F(ForegroundTest, OurTerminalIsRawWhileItRunsAndThenAsBefore) {
  const ForegroundOptions options = on_terminal(true, true);
  struct winsize size {};
  size.ws_row = 11;
  size.ws_col = 22;
  ::ioctl(screen_.slave.get(), TIOCSWINSZ, &size);
  const tcflag_t before = mode().c_lflag;
  {
    const auto foreground = Foreground::start(options).value();
    const sandbox::Stdio stdio = foreground->take_stdio();
    EXPECT_EQ(mode().c_lflag & (ICANON | ECHO | ISIG), 0U);
    struct winsize seen {};
    ASSERT_EQ(::ioctl(stdio.in.get(), TIOCGWINSZ, &seen), 0);
    EXPECT_EQ(seen.ws_row, 11);
    EXPECT_EQ(seen.ws_col, 22);
    ASSERT_TRUE(sys::write_all(screen_.master.get(), as_bytes("keys\r")));
    EXPECT_EQ(read_until(stdio.in.get(), "\n"), "keys\n");
    size.ws_col = 33;
    ::ioctl(screen_.slave.get(), TIOCSWINSZ, &size);
    ::raise(SIGWINCH);
    for (int i = 0; i < 500 && seen.ws_col != 33; ++i) {
      ::usleep(10000);
      ::ioctl(stdio.in.get(), TIOCGWINSZ, &seen);
    }
    EXPECT_EQ(seen.ws_col, 33);
  }
  EXPECT_EQ(mode().c_lflag, before);
}

TEST_F(ForegroundTest, ATerminalForAProgramNeedsOneOfOurs) {
  ForegroundOptions options = piped(true);
  options.terminal = true;
  const auto foreground = Foreground::start(options);
  ASSERT_FALSE(foreground);
  EXPECT_EQ(foreground.error().message(), "the input device is not a terminal");
}

TEST_F(ForegroundTest, SignalsGoToTheProgramAndComeBackAfterwards) {
  struct sigaction before {};
  ::sigaction(SIGTERM, nullptr, &before);
  {
    const auto foreground = Foreground::start(piped(false)).value();
    for (const int number : {SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH}) {
      ::raise(number);
      EXPECT_EQ(next_signal(*foreground), number);
    }
  }
  struct sigaction after {};
  ::sigaction(SIGTERM, nullptr, &after);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

TEST_F(ForegroundTest, SignalsThatAllThreadsBlockStillArrive) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  {
    const auto foreground = Foreground::start(piped(false)).value();
    ::kill(::getpid(), SIGINT);
    EXPECT_EQ(next_signal(*foreground), SIGINT);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(ForegroundTest, TheThirdInterruptKills) {
  const auto foreground = Foreground::start(piped(false)).value();
  ::raise(SIGINT);
  EXPECT_EQ(next_signal(*foreground), SIGINT);
  ::raise(SIGTERM);
  EXPECT_EQ(next_signal(*foreground), SIGTERM);
  ::raise(SIGINT);
  EXPECT_EQ(next_signal(*foreground), SIGKILL);
}

/// A shell without job control starts whatever stands before & like that.
TEST_F(ForegroundTest, AnInterruptThatWasIgnoredIsPassedOn) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGINT, &ignore, &before);
  {
    const auto foreground = Foreground::start(piped(false)).value();
    ::raise(SIGINT);
    EXPECT_EQ(next_signal(*foreground), SIGINT);
  }
  ::sigaction(SIGINT, &before, nullptr);
}

TEST_F(ForegroundTest, SignalsFromElsewhereAreWhatTheySay) {
  Pipe elsewhere = sys::pipe().value();
  ForegroundOptions options = piped(false);
  options.signals = elsewhere.read_end.get();
  const auto foreground = Foreground::start(options).value();
  for (const int sent : {SIGTERM, SIGTERM, SIGTERM, SIGKILL}) {
    const auto number = static_cast<unsigned char>(sent);
    ASSERT_TRUE(sys::write_all(elsewhere.write_end.get(), std::as_bytes(std::span(&number, 1))));
    EXPECT_EQ(next_signal(*foreground), number);
  }
}

TEST_F(ForegroundTest, AHangUpThatWasIgnoredStaysIgnored) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  const auto foreground = Foreground::start(piped(false)).value();
  ::raise(SIGHUP);
  ::raise(SIGUSR1);
  EXPECT_EQ(next_signal(*foreground), SIGUSR1);
  ::sigaction(SIGHUP, &before, nullptr);
}

TEST(RelayTest, ASlowReceiverHoldsBytesBackAndLosesNone) {
  Pipe from = sys::pipe().value();
  Pipe to = sys::pipe().value();
  ASSERT_TRUE(sys::set_nonblocking(to.write_end.get(), true));
  ASSERT_TRUE(sys::set_nonblocking(from.write_end.get(), true));
  std::string sent;
  const std::string chunk(4096, 'x');
  while (sys::write_all(from.write_end.get(), as_bytes(chunk))) {
    sent += chunk;
  }
  from.write_end.reset();
  Relay relay(std::move(from.read_end), std::move(to.write_end));
  std::string got;
  while (!relay.ended()) {
    struct pollfd wanted = relay.wanted();
    if (::poll(&wanted, 1, 0) == 1) {
      relay.step();
      continue;
    }
    EXPECT_TRUE(relay.holds_bytes());
    std::vector<std::byte> buffer(10000);
    const std::size_t count = sys::read(to.read_end.get(), buffer).value();
    got.append(as_text(ByteSpan(buffer).first(count)));
  }
  got += sys::read_to_end(to.read_end.get()).value();
  EXPECT_EQ(got, sent);
}

}  // namespace
}  // namespace mybuild::run
