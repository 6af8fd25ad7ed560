// SPDX-License-Identifier: Apache-2.0
#include "builder/run/foreground.h"

#include "builder/run/relay.h"
#include "builder/run/signals.h"
#include "builder/run/terminal.h"
#include "snapshotter/base/sys.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <thread>
#include <vector>

namespace mybuild::run {

namespace {

constexpr int kStopsUntilKill = 3;
constexpr int kDrainTimeoutMs = 500;

/// What the program may have as it is. It can open its streams anew through /proc, with all rights:
/// a file would be its own to read, truncate and write anywhere.
bool may_be_handed_on(int fd) {
  const Result<struct stat> info = sys::fstat(fd);
  return info &&
         (S_ISFIFO(info->st_mode) || (S_ISCHR(info->st_mode) && info->st_rdev == makedev(1, 3)));
}

void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

struct Foreground::State {
  ForegroundOptions options;
  std::optional<SignalCatcher> catcher;
  std::optional<RawMode> raw;
  Pipe forward;  // signals on their way to the sandbox
  sandbox::Stdio stdio;
  std::vector<Relay> inputs;
  std::vector<Relay> outputs;
  Fd master;
  Fd slave;  // kept until the end: a program may close its terminal and open it again
  Fd stop;
  std::thread pump_thread;
  int stops = 0;
  bool abandoned = false;

  Status connect_terminal();
  Status connect_streams();
  Result<Fd> connect_input();
  Result<Fd> connect_output(int ours);
  void pump();
  bool wait_and_step(bool stopping);
  void read_signals();
  void pass_signals() const;
  void on_signal(unsigned char number);
  bool wants_more() const;
};

Status Foreground::State::connect_terminal() {
  if (options.interactive && ::isatty(options.in) == 0) {
    return invalid_argument("the input device is not a terminal").with_hint("leave out -t");
  }
  PseudoTerminal terminal = TRY(open_pseudo_terminal());
  master = std::move(terminal.master);
  slave = std::move(terminal.slave);
  copy_window_size(::isatty(options.out) == 1 ? options.out : options.in, master.get());
  stdio.in = TRY(sys::dup(slave.get()));
  stdio.out = TRY(sys::dup(slave.get()));
  stdio.err = TRY(sys::dup(slave.get()));
  Fd output_from = TRY(sys::dup(master.get()));
  Fd output_to = TRY(sys::dup(options.out));
  outputs.emplace_back(std::move(output_from), std::move(output_to));
  if (options.interactive) {
    Fd input_from = TRY(sys::dup(options.in));
    Fd input_to = TRY(sys::dup(master.get()));
    inputs.emplace_back(std::move(input_from), std::move(input_to));
    RawMode mode = TRY(RawMode::enter(options.in));
    raw.emplace(std::move(mode));
  }
  return {};
}

Result<Fd> Foreground::State::connect_input() {
  if (!options.interactive) {
    return sys::open("/dev/null", O_RDONLY);
  }
  if (may_be_handed_on(options.in)) {
    return sys::dup(options.in);
  }
  Pipe pipe = TRY(sys::pipe());
  TRY(sys::set_nonblocking(pipe.write_end.get(), true));
  Fd from = TRY(sys::dup(options.in));
  inputs.emplace_back(std::move(from), std::move(pipe.write_end));
  return std::move(pipe.read_end);
}

Result<Fd> Foreground::State::connect_output(int ours) {
  Fd own = TRY(sys::dup(ours));
  if (may_be_handed_on(ours)) {
    return own;
  }
  Pipe pipe = TRY(sys::pipe());
  outputs.emplace_back(std::move(pipe.read_end), std::move(own));
  return std::move(pipe.write_end);
}

Status Foreground::State::connect_streams() {
  stdio.in = TRY(connect_input());
  stdio.out = TRY(connect_output(options.out));
  stdio.err = TRY(connect_output(options.err));
  return {};
}

void Foreground::State::on_signal(unsigned char number) {
  if (number == SIGWINCH && master) {
    copy_window_size(::isatty(options.out) == 1 ? options.out : options.in, master.get());
    return;
  }
  // As PID 1 a program without a handler ignores these; whoever asks again and again means it.
  if ((number == SIGINT || number == SIGTERM) && ++stops >= kStopsUntilKill) {
    number = SIGKILL;
    abandoned = true;
  }
  [[maybe_unused]] const ssize_t written = ::write(forward.write_end.get(), &number, 1);
}

void Foreground::State::read_signals() {
  std::array<unsigned char, 64> numbers{};
  const ssize_t count = ::read(catcher->fd(), numbers.data(), numbers.size());
  for (ssize_t i = 0; i < count; ++i) {
    on_signal(numbers[static_cast<std::size_t>(i)]);
  }
}

/// From whoever stops the container by its name: what they send is what they mean.
void Foreground::State::pass_signals() const {
  std::array<unsigned char, 64> numbers{};
  const ssize_t count = ::read(options.signals, numbers.data(), numbers.size());
  if (count > 0) {
    [[maybe_unused]] const ssize_t written =
        ::write(forward.write_end.get(), numbers.data(), static_cast<std::size_t>(count));
  }
}

bool Foreground::State::wants_more() const {
  return !abandoned && std::any_of(outputs.begin(), outputs.end(),
                                   [](const Relay& relay) { return !relay.ended(); });
}

/// One round; false when the stop was asked for, or when a stopping loop has nothing left to wait
/// for.
bool Foreground::State::wait_and_step(bool stopping) {
  std::vector<struct pollfd> entries;
  entries.push_back({.fd = catcher->fd(), .events = POLLIN, .revents = 0});
  entries.push_back({.fd = stopping ? -1 : stop.get(), .events = POLLIN, .revents = 0});
  entries.push_back({.fd = stopping ? -1 : options.signals, .events = POLLIN, .revents = 0});
  bool holds_bytes = false;
  for (const auto* relays : {&outputs, &inputs}) {
    for (const Relay& relay : *relays) {
      entries.push_back(relay.wanted());
      holds_bytes |= relays == &outputs && relay.holds_bytes();
    }
  }
  const int timeout = stopping && !holds_bytes ? kDrainTimeoutMs : -1;
  const int ready = ::poll(entries.data(), entries.size(), timeout);
  if (ready <= 0) {
    return ready < 0 && errno == EINTR;
  }
  if (entries[0].revents != 0) {
    read_signals();
  }
  if (entries[2].revents != 0) {
    pass_signals();
  }
  std::size_t next = 3;
  for (auto* relays : {&outputs, &inputs}) {
    for (Relay& relay : *relays) {
      if (entries[next++].revents != 0) {
        relay.step();
      }
    }
  }
  return entries[1].revents == 0;
}

void Foreground::State::pump() {
  SignalCatcher::unblock_in_this_thread();
  block_sigpipe();
  while (wait_and_step(false)) {
  }
  slave.reset();
  inputs.clear();
  while (wants_more() && wait_and_step(true)) {
  }
}

Foreground::Foreground(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Foreground>> Foreground::start(const ForegroundOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->forward = TRY(sys::pipe());
  TRY(sys::set_nonblocking(state->forward.write_end.get(), true));
  state->stop = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!state->stop) {
    return os_error(errno, "make an event descriptor");
  }
  SignalCatcher catcher = TRY(SignalCatcher::start());
  state->catcher.emplace(std::move(catcher));
  TRY(options.terminal ? state->connect_terminal() : state->connect_streams());
  state->pump_thread = std::thread([raw = state.get()] { raw->pump(); });
  return std::unique_ptr<Foreground>(new Foreground(std::move(state)));
}

Foreground::~Foreground() {
  finish();
}

sandbox::Stdio Foreground::take_stdio() {
  return std::move(state_->stdio);
}
int Foreground::signals() const {
  return state_->forward.read_end.get();
}

void Foreground::finish() {
  if (!state_->pump_thread.joinable()) {
    return;
  }
  state_->stdio = {};  // never taken: nothing was started
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(state_->stop.get(), &one, sizeof one);
  state_->pump_thread.join();
  state_->raw.reset();
}

}  // namespace mybuild::run
