// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/plain.h"

#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::progress {

namespace {

constexpr std::chrono::milliseconds kSilence{
    500};  // the shown step said nothing for so long: let others speak
constexpr std::chrono::seconds kPatience{5};   // no step waits longer than this to be shown
constexpr std::chrono::seconds kItemPause{5};  // between two lines about a transfer that goes on

class PlainPrinter final : public Printer {
 public:
  void step_started(const Step& step, Time now) override { say(step, "", now); }

  void log_line(const Step& step, const LogLine& line, Time now) override {
    say(step, log_line_text(step, line), now);
  }

  void item_changed(const Step& step, const Item& item, Time now) override {
    Channel& channel = channel_of(step);
    ItemState& state = channel.items[item.name];
    const bool due = !state.shown || item.changed_at - state.shown_at >= kItemPause;
    if (state.done || (!item.done && !due)) {
      return;
    }
    state = {.shown = true, .done = item.done, .shown_at = item.changed_at};
    say(step, item_line(item), now);
  }

  void step_ended(const Step& step, Time now) override {
    Channel& channel = channel_of(step);
    channel.lines.push_back(end_line(step));
    show(step, now);
    current_ = nullptr;
    if (const Channel* next = longest_waiting(); next != nullptr) {
      show(*next->step, now);
    }
  }

  std::string render(Time now) override {
    const Channel* next = longest_waiting();
    if (next != nullptr && switch_time(*next) <= now) {
      show(*next->step, now);
    }
    return std::exchange(out_, {});
  }

  Time next_render(Time) const override {
    const Channel* next = longest_waiting();
    return next == nullptr ? Time::max() : switch_time(*next);
  }

  std::string finish(Time now) override {
    while (const Channel* next = longest_waiting()) {
      show(*next->step, now);
    }
    return std::exchange(out_, {});
  }
  bool shown_last(const Step& step) const override { return &step == last_; }

 private:
  struct ItemState {
    bool shown = false;
    bool done = false;
    Time shown_at;
  };
  struct Channel {
    const Step* step = nullptr;
    int number = 0;        // 0: not shown yet
    bool waiting = false;  // has something that is not shown
    Time waiting_since;
    std::vector<std::string> lines;  // to be shown, without the number
    std::map<std::string, ItemState> items;
  };

  static std::string item_line(const Item& item) {
    std::string line = item.name;
    if (item.total != 0) {
      line += fmt::format(" {} / {}", transfer_size(item.current), transfer_size(item.total));
    } else if (item.current != 0) {
      line += fmt::format(" {}", transfer_size(item.current));
    }
    if (const auto took = item.changed_at - item.started; took > std::chrono::milliseconds(10)) {
      line += fmt::format(" {}", seconds(took));
    }
    return item.done ? line + " done" : line;
  }

  static std::string end_line(const Step& step) {
    switch (step.state) {
      case Step::State::Cached:
        return "CACHED";
      case Step::State::Cancelled:
        return "CANCELED";
      case Step::State::Failed:
        return fmt::format("ERROR: {}", step.error);
      case Step::State::Running:
      case Step::State::Done:
        break;
    }
    return fmt::format("DONE {}", seconds(step.ended - step.started));
  }

  Channel& channel_of(const Step& step) {
    while (channels_.size() <= step.index) {
      channels_.emplace_back();
    }
    channels_[step.index].step = &step;
    return channels_[step.index];
  }

  /// Shows the line if the step has the floor or nobody has it, else keeps it.
  void say(const Step& step, std::string line, Time now) {
    Channel& channel = channel_of(step);
    if (!line.empty()) {
      channel.lines.push_back(std::move(line));
    }
    if (current_ == nullptr || current_ == &step) {
      show(step, now);
    } else if (!channel.waiting) {
      channel.waiting = true;
      channel.waiting_since = now;
    }
  }

  void show(const Step& step, Time now) {
    Channel& channel = channel_of(step);
    if (current_ != &step) {
      switch_to(step, channel);
    }
    for (const std::string& line : channel.lines) {
      out_ += fmt::format("#{} {}\n", channel.number, line);
    }
    channel.lines.clear();
    channel.waiting = false;
    last_ = &step;
    last_shown_ = now;
  }

  void switch_to(const Step& step, Channel& channel) {
    if (current_ != nullptr) {
      out_ += fmt::format("#{} ...\n", channel_of(*current_).number);
    }
    if (next_number_ > 1) {
      out_ += '\n';
    }
    if (channel.number == 0) {
      channel.number = next_number_++;
    }
    std::string name = step.name;
    std::replace(name.begin(), name.end(), '\n', ' ');
    out_ += fmt::format("#{} {}\n", channel.number, name);
    current_ = &step;
  }

  const Channel* longest_waiting() const {
    const Channel* found = nullptr;
    for (const Channel& channel : channels_) {
      if (channel.waiting && (found == nullptr || channel.waiting_since < found->waiting_since)) {
        found = &channel;
      }
    }
    return found;
  }

  Time switch_time(const Channel& waiting) const {
    return current_ == nullptr
               ? Time::min()
               : std::min(waiting.waiting_since + kPatience, last_shown_ + kSilence);
  }

  const Step* current_ = nullptr;  // whose block is open
  const Step* last_ = nullptr;     // whose block is the last one
  int next_number_ = 1;
  Time last_shown_;
  std::deque<Channel> channels_;  // by Step::index
  std::string out_;
};

}  // namespace

std::unique_ptr<Printer> make_plain_printer() {
  return std::make_unique<PlainPrinter>();
}

}  // namespace mybuild::progress
