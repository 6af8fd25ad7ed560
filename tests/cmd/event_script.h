// SPDX-License-Identifier: Apache-2.0
// A build told in events: steps are named by letters, times are milliseconds since its start.
#pragma once

#include "cmd/mybuild/progress/step.h"

#include <chrono>
#include <string>
#include <utility>

namespace mybuild::progress {

class EventScript {
 public:
  EventScript(Printer& printer, StepTable::Limits limits) : printer_(printer), table_(limits) {}

  /// Moves the time on; the printer draws whenever it wants to on the way.
  void at(int milliseconds) {
    const Time until = start() + std::chrono::milliseconds(milliseconds);
    for (Time due = printer_.next_render(now_); due <= until && due != Time::max();) {
      now_ = std::max(now_, due);
      draw();
      const Time next = printer_.next_render(now_);
      due = next > now_ ? next : until + std::chrono::milliseconds(1);
    }
    now_ = until;
  }
  void start_step(char step, std::string name) {
    apply(solver::VertexStarted{.vertex = id(step), .name = std::move(name), .time = now_});
  }
  void cached(char step, std::string name) {
    apply(solver::VertexCached{.vertex = id(step), .name = std::move(name), .time = now_});
  }
  void done(char step) { apply(solver::VertexDone{.vertex = id(step), .time = now_, .error = {}}); }
  void failed(char step, Error error) {
    apply(solver::VertexDone{.vertex = id(step), .time = now_, .error = std::move(error)});
  }
  void log(char step, std::string bytes, int stream = 1) {
    apply(solver::LogChunk{
        .vertex = id(step), .stream = stream, .bytes = std::move(bytes), .time = now_});
  }
  void item(char step, std::string name, std::uint64_t current, std::uint64_t total,
            bool is_done = false) {
    apply(solver::Progress{.vertex = id(step),
                           .item = std::move(name),
                           .current = current,
                           .total = total,
                           .done = is_done,
                           .time = now_});
  }
  void warn(solver::Warning warning) { apply(std::move(warning)); }
  void finish() { written_ += printer_.finish(now_); }

  const StepTable& table() const { return table_; }
  /// All that was written since the last call.
  std::string take() { return std::exchange(written_, {}); }

 private:
  static Time start() { return Time(std::chrono::seconds(1'000'000)); }
  static solver::VertexId id(char step) { return {Digest::of(std::string(1, step))}; }
  void apply(solver::Event event) {
    table_.apply(event, printer_, now_);
    draw();
  }
  void draw() { written_ += printer_.render(now_); }

  Printer& printer_;
  StepTable table_;
  Time now_ = start();
  std::string written_;
};

}  // namespace mybuild::progress
