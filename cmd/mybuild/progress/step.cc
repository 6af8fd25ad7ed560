// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mybuild::progress {

namespace {

/// A "line" longer than this is cut, so that a step that never prints a newline cannot eat the
/// memory.
constexpr std::size_t kLongestLine = 64 << 10;

void update_rate(Item& item, Time time) {
  constexpr double kShortest = 0.1;  // seconds; a shorter interval tells little
  constexpr double kNewest = 0.3;    // weight of the newest interval
  const double interval = std::chrono::duration<double>(time - item.measured_at).count();
  if (interval < kShortest) {
    return;
  }
  const std::uint64_t gained = item.current - std::min(item.measured, item.current);
  const double rate = static_cast<double>(gained) / interval;
  item.bytes_per_second =
      item.bytes_per_second == 0 ? rate : item.bytes_per_second * (1 - kNewest) + rate * kNewest;
  item.measured_at = time;
  item.measured = item.current;
}

Item& find_item(Step& step, const solver::Progress& progress) {
  const auto found = std::find_if(step.items.begin(), step.items.end(),
                                  [&](const Item& item) { return item.name == progress.item; });
  if (found != step.items.end()) {
    return *found;
  }
  step.items.push_back(Item{.name = progress.item,
                            .current = progress.current,
                            .total = progress.total,
                            .started = progress.time,
                            .changed_at = progress.time,
                            .measured_at = progress.time,
                            .measured = progress.current});
  return step.items.back();
}

}  // namespace

std::string log_line_text(const Step& step, const LogLine& line) {
  const std::chrono::duration<double> since = line.time - step.started;
  return fmt::format("{:.3f} {}", std::max(since.count(), 0.0), line.bytes);
}

struct StepTable::Visitor {
  StepTable& table;
  Printer& printer;
  Time now;

  Step& running(const solver::VertexId& id, std::string_view name, Time time) const {
    bool is_new = false;
    Step& step = table.step(id, name, time, is_new);
    if (is_new) {
      printer.step_started(step, now);
    }
    return step;
  }

  void end(Step& step, Step::State state, Time time) const {
    table.flush_partial(step, printer, now);
    step.state = state;
    step.ended = time;
    printer.step_ended(step, now);
    if (state == Step::State::Failed) {
      table.failed_.push_back(&step);
    } else {
      step.log.clear();
    }
  }

  void operator()(const solver::VertexStarted& event) const {
    Step& step = running(event.vertex, event.name, event.time);
    if (step.state != Step::State::Running) {
      step.state = Step::State::Running;
      step.started = event.time;
      printer.step_started(step, now);
    }
  }

  void operator()(const solver::VertexCached& event) const {
    bool is_new = false;
    Step& step = table.step(event.vertex, event.name, event.time, is_new);
    end(step, Step::State::Cached, event.time);
  }

  void operator()(const solver::VertexDone& event) const {
    Step& step = running(event.vertex, "", event.time);
    if (!event.error) {
      end(step, Step::State::Done, event.time);
      return;
    }
    step.error = event.error->message();
    const bool cancelled = event.error->kind() == ErrorKind::Cancelled;
    end(step, cancelled ? Step::State::Cancelled : Step::State::Failed, event.time);
  }

  void operator()(const solver::LogChunk& event) const {
    Step& step = running(event.vertex, "", event.time);
    LogLine& partial = step.partial[event.stream == 2 ? 1 : 0];
    std::string_view rest = event.bytes;
    while (!rest.empty()) {
      if (partial.bytes.empty()) {
        partial.time = event.time;
      }
      const std::size_t newline = rest.find('\n');
      const std::size_t room = kLongestLine - std::min(kLongestLine, partial.bytes.size());
      const std::size_t taken = std::min({newline, rest.size(), room});
      partial.bytes += rest.substr(0, taken);
      const bool ended = taken == newline;
      rest.remove_prefix(taken + (ended ? 1 : 0));
      if (ended || partial.bytes.size() >= kLongestLine) {
        table.keep_line(step, std::exchange(partial, {}), printer, now);
      }
    }
  }

  void operator()(const solver::Progress& event) const {
    Step& step = running(event.vertex, "", event.time);
    Item& item = find_item(step, event);
    item.current = event.current;
    item.total = event.total;
    item.done = event.done;
    item.changed_at = event.time;
    update_rate(item, event.time);
    printer.item_changed(step, item, now);
  }

  /// What is not about a place in the file is said once, however many steps have come upon it.
  void operator()(const solver::Warning& event) const {
    const bool known = std::any_of(
        table.warnings_.begin(), table.warnings_.end(), [&](const solver::Warning& earlier) {
          return !earlier.location && !event.location && earlier.message == event.message;
        });
    if (!known) {
      table.warnings_.push_back(event);
    }
  }
};

void StepTable::apply(const solver::Event& event, Printer& printer, Time now) {
  std::visit(Visitor{*this, printer, now}, event);
}

Step& StepTable::step(const solver::VertexId& id, std::string_view name, Time time, bool& is_new) {
  std::unique_ptr<Step>& slot = steps_[id.digest];
  is_new = slot == nullptr;
  if (is_new) {
    slot = std::make_unique<Step>();
    slot->index = steps_.size() - 1;
    slot->name = name;
    slot->started = time;
  } else if (slot->name.empty()) {
    slot->name = name;
  }
  return *slot;
}

void StepTable::keep_line(Step& step, LogLine line, Printer& printer, Time now) {
  printer.log_line(step, line, now);
  step.log_bytes += line.bytes.size();
  step.log.push_back(std::move(line));
  while (step.log.size() > limits_.log_lines ||
         (step.log_bytes > limits_.log_bytes && step.log.size() > 1)) {
    step.log_bytes -= step.log.front().bytes.size();
    step.log.pop_front();
    ++step.lines_left_out;
  }
}

void StepTable::flush_partial(Step& step, Printer& printer, Time now) {
  for (LogLine& partial : step.partial) {
    if (!partial.bytes.empty()) {
      keep_line(step, std::exchange(partial, {}), printer, now);
    }
  }
}

}  // namespace mybuild::progress
