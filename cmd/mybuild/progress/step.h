// SPDX-License-Identifier: Apache-2.0
// Step: what the printers know of one vertex. StepTable turns the event stream into steps and calls
// a printer with whole log lines; it also keeps the end of every running step's log, for the report
// of a failure. One thread only.
#pragma once

#include "snapshotter/base/clock.h"
#include "solver/progress.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mybuild::progress {

/// A transfer or another countable part of a step.
struct Item {
  std::string name;
  std::uint64_t current = 0;
  std::uint64_t total = 0;
  bool done = false;
  Time started;
  Time changed_at;
  double bytes_per_second = 0;  // lately
  Time measured_at;             // when the rate was last worked out,
  std::uint64_t measured = 0;   // and `current` then
};

/// A line of a step's log, without its newline.
struct LogLine {
  Time time;  // of its first byte
  std::string bytes;
};

struct Step {
  enum class State { Running, Cached, Done, Failed, Cancelled };
  std::size_t index = 0;  // by first appearance
  std::string name;
  State state = State::Running;
  Time started;
  Time ended;
  std::string error;
  std::deque<Item> items;            // in order of appearance
  std::deque<LogLine> log;           // its end
  std::size_t log_bytes = 0;         // of `log`
  std::size_t lines_left_out = 0;    // of its front
  std::array<LogLine, 2> partial{};  // of stdout and stderr: what no newline has ended yet
};

/// "0.123 text": seconds since the step started.
std::string log_line_text(const Step& step, const LogLine& line);

/// What a printer is told; each call comes after the step was brought up to date.
class Printer {
 public:
  virtual ~Printer() = default;
  virtual void step_started(const Step& step, Time now) = 0;
  virtual void log_line(const Step& step, const LogLine& line, Time now) = 0;
  virtual void item_changed(const Step& step, const Item& item, Time now) = 0;
  virtual void step_ended(const Step& step, Time now) = 0;  // also for cached ones

  /// The bytes to write now.
  virtual std::string render(Time now) = 0;
  /// When render() wants to be called though nothing happens; Time::max() for never.
  virtual Time next_render(Time now) const = 0;
  /// The last bytes: nothing unfinished stays on the screen.
  virtual std::string finish(Time now) = 0;
  /// After finish(): the step's output is what the reader sees last, so a report need not repeat it.
  virtual bool shown_last(const Step& step) const = 0;
};

class StepTable {
 public:
  struct Limits {
    std::size_t log_lines;  // of each step
    std::size_t log_bytes;
  };
  explicit StepTable(Limits limits) : limits_(limits) {}

  void apply(const solver::Event& event, Printer& printer, Time now);

  /// Steps that failed by themselves, in the order of their failing.
  const std::vector<const Step*>& failed() const { return failed_; }
  const std::vector<solver::Warning>& warnings() const { return warnings_; }

 private:
  struct Visitor;
  Step& step(const solver::VertexId& id, std::string_view name, Time time, bool& is_new);
  void keep_line(Step& step, LogLine line, Printer& printer, Time now);
  void flush_partial(Step& step, Printer& printer, Time now);

  Limits limits_;
  std::unordered_map<Digest, std::unique_ptr<Step>> steps_;
  std::vector<const Step*> failed_;
  std::vector<solver::Warning> warnings_;
};

}  // namespace mybuild::progress
