// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/progress.h"

#include "cmd/mybuild/progress/plain.h"
#include "cmd/mybuild/progress/terminal.h"
#include "cmd/mybuild/progress/tty.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace mybuild::progress {

namespace {

constexpr std::size_t kMostQueued = 8 << 20;  // bytes of log; then the steps have to wait
/// Events come in bursts: to wake the printer for each of them costs more than a cached build does.
constexpr std::chrono::milliseconds kGatherTime(5);
constexpr std::size_t kGatherBytes = 64 << 10;
// BuildKit's plain form repeats ten lines of a failed step; on a terminal the log was never shown,
// so all of it is kept.
constexpr StepTable::Limits kPlainLimits = {.log_lines = 10, .log_bytes = 1 << 20};
constexpr StepTable::Limits kFullLimits = {.log_lines = 1 << 20, .log_bytes = 4 << 20};

class SilentPrinter final : public Printer {
 public:
  void step_started(const Step&, Time) override {}
  void log_line(const Step&, const LogLine&, Time) override {}
  void item_changed(const Step&, const Item&, Time) override {}
  void step_ended(const Step&, Time) override {}
  std::string render(Time) override { return {}; }
  Time next_render(Time) const override { return Time::max(); }
  std::string finish(Time) override { return {}; }
  bool shown_last(const Step&) const override { return false; }
};

std::unique_ptr<Printer> make_printer(Mode mode, int fd) {
  const TerminalTraits traits = terminal_traits(fd);
  switch (mode) {
    case Mode::Plain:
      return make_plain_printer();
    case Mode::Quiet:
      return std::make_unique<SilentPrinter>();
    case Mode::Auto:
    case Mode::Tty:
      break;
  }
  return make_tty_printer({.color = traits.color, .unicode = traits.unicode},
                          [fd] { return window_size(fd); });
}

std::size_t size_of(const solver::Event& event) {
  const auto* chunk = std::get_if<solver::LogChunk>(&event);
  return chunk == nullptr ? 0 : chunk->bytes.size();
}

}  // namespace

Mode resolve(Mode mode, int fd) {
  if (mode != Mode::Auto) {
    return mode;
  }
  return terminal_traits(fd).can_redraw ? Mode::Tty : Mode::Plain;
}

Progress::Progress(Mode mode, int fd, const Clock& clock)
    : fd_(fd),
      clock_(clock),
      printer_(make_printer(mode, fd)),
      steps_(mode == Mode::Plain ? kPlainLimits : kFullLimits) {}

Progress::~Progress() {
  finish();
}

void Progress::begin() {
  const std::lock_guard lock(mutex_);
  start_thread();
}

/// Under the lock.
void Progress::start_thread() {
  if (!thread_) {
    thread_.emplace([this] { run(); });
  }
}

void Progress::on_event(solver::Event event) {
  std::unique_lock lock(mutex_);
  emptied_.wait(lock, [this] { return queued_bytes_ < kMostQueued || finishing_; });
  if (finishing_) {
    return;
  }
  queued_bytes_ += size_of(event);
  queue_.push_back(std::move(event));
  const bool wake = queue_.size() == 1 || queued_bytes_ >= kGatherBytes;
  start_thread();
  if (wake) {
    filled_.notify_one();
  }
}

Outcome Progress::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  filled_.notify_one();
  emptied_.notify_all();
  if (thread_ && thread_->joinable()) {
    thread_->join();
    write(printer_->finish(clock_.now()));
  }
  Outcome outcome = {.failed = steps_.failed(), .warnings = steps_.warnings()};
  std::erase_if(outcome.failed, [this](const Step* step) { return printer_->shown_last(*step); });
  return outcome;
}

void Progress::run() {
  std::vector<solver::Event> events;
  for (bool more = true; more;) {
    events.clear();
    more = wait_for_events(events);
    for (const solver::Event& event : events) {
      steps_.apply(event, *printer_, clock_.now());
    }
    write(printer_->render(clock_.now()));
  }
}

/// Waits for events, the printer's next frame or the end; false when nothing can come any more.
bool Progress::wait_for_events(std::vector<solver::Event>& events) {
  const Time due = printer_->next_render(clock_.now());
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !queue_.empty() || finishing_; };
  if (due == Time::max()) {
    filled_.wait(lock, ready);
  } else {
    filled_.wait_for(lock, due - clock_.now(), ready);
  }
  if (!queue_.empty()) {
    filled_.wait_for(lock, kGatherTime,
                     [this] { return queued_bytes_ >= kGatherBytes || finishing_; });
  }
  std::swap(events, queue_);
  queued_bytes_ = 0;
  emptied_.notify_all();
  return !finishing_;
}

void Progress::write(std::string_view bytes) {
  while (!bytes.empty() && !broken_) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody shares the terminal and made it non-blocking
      struct pollfd wait = {.fd = fd_, .events = POLLOUT, .revents = 0};
      ::poll(&wait, 1, 1000);
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
}

}  // namespace mybuild::progress
