// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/tty.h"

#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::progress {

namespace {

constexpr std::chrono::milliseconds kFramePause{100};
constexpr std::chrono::seconds kWorthALine{
    1};  // of an [internal] step; a shorter one leaves no line behind
constexpr std::chrono::seconds kStalled{
    3};  // no rate is shown for a transfer that has not moved for so long
constexpr std::size_t kLogLines = 3;   // under a running step
constexpr std::size_t kItemLines = 5;  // for each such line, as long as there is room
constexpr std::size_t kBarColumns = 8;

// Frames are drawn while output is held back (mode 2026, where the terminal has it) and the cursor
// is hidden.
constexpr std::string_view kFrameBegin = "\x1b[?2026h\x1b[?25l\r";
constexpr std::string_view kClearBelow = "\x1b[J";
constexpr std::string_view kFrameEnd = "\x1b[J\x1b[?25h\x1b[?2026l";
constexpr std::string_view kLineEnd = "\x1b[K\n";

struct Glyphs {
  std::string_view done;
  std::string_view failed;
  std::string_view bar;
  std::string_view full;  // of a transfer's bar
  std::string_view empty;
  std::array<std::string_view, 8> spinner;
};
constexpr Glyphs kUnicode = {.done = "✔",
                             .failed = "✘",
                             .bar = "│",
                             .full = "━",
                             .empty = "─",
                             .spinner = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠇"}};
constexpr Glyphs kAscii = {.done = "+",
                           .failed = "x",
                           .bar = "|",
                           .full = "#",
                           .empty = ".",
                           .spinner = {"|", "/", "-", "\\", "|", "/", "-", "\\"}};

enum class Color { None, Green, Red, Cyan, Dim };

constexpr std::string_view escape(Color color) {
  constexpr std::array<std::string_view, 5> kCodes = {"", "\x1b[32m", "\x1b[31m", "\x1b[36m",
                                                      "\x1b[2m"};
  return kCodes[static_cast<std::size_t>(color)];
}

/// One row: a coloured mark, then text in `text_color`.
struct Line {
  std::string_view mark = " ";
  Color mark_color = Color::None;
  std::string text;
  Color text_color = Color::None;
};

std::string timed(std::chrono::nanoseconds time, std::string_view text) {
  return fmt::format("{:>6} {}", elapsed(time), text);
}

bool is_internal(const Step& step) {
  return step.name.starts_with("[internal]");
}

class TtyPrinter final : public Printer {
 public:
  TtyPrinter(TtyStyle style, std::function<WindowSize()> size)
      : style_(style), glyphs_(style.unicode ? kUnicode : kAscii), size_(std::move(size)) {}

  void step_started(const Step& step, Time now) override {
    note_begin(now);
    running_.push_back(&step);
  }
  void log_line(const Step&, const LogLine&, Time now) override { note_begin(now); }
  void item_changed(const Step&, const Item&, Time now) override { note_begin(now); }

  void step_ended(const Step& step, Time now) override {
    note_begin(now);
    running_.erase(std::remove(running_.begin(), running_.end(), &step), running_.end());
    const auto took = step.ended - step.started;
    const bool failed = step.state == Step::State::Failed;
    if (step.state == Step::State::Cached) {
      cached_ += is_internal(step) ? 0 : 1;
    } else if (failed || step.state == Step::State::Done) {
      done_ += is_internal(step) || failed ? 0 : 1;
      if (failed || !is_internal(step) || took >= kWorthALine) {
        finished_.push_back(Line{.mark = failed ? glyphs_.failed : glyphs_.done,
                                 .mark_color = failed ? Color::Red : Color::Green,
                                 .text = timed(took, printable(step.name)),
                                 .text_color = failed ? Color::Red : Color::None});
      }
    }
  }

  std::string render(Time now) override {
    if (!began_ || now < last_frame_ + kFramePause) {
      return {};
    }
    last_frame_ = now;
    const WindowSize size = size_();
    return frame(live_lines(size, now), size);
  }

  Time next_render(Time) const override {
    const bool changing = !running_.empty() || !finished_.empty() || !shown_.empty();
    return began_ && changing ? last_frame_ + kFramePause : Time::max();
  }

  std::string finish(Time) override { return frame({}, size_()); }
  bool shown_last(const Step&) const override { return false; }

 private:
  void note_begin(Time now) {
    if (!began_) {
      began_ = true;
      began_at_ = now;
      last_frame_ = now;  // a build that ends at once draws nothing
    }
  }

  /// The live part: as many rows per step as the window has room for.
  std::vector<Line> live_lines(WindowSize size, Time now) const {
    if (running_.empty()) {
      return {};
    }
    const std::size_t room =
        size.rows > 3 ? size.rows - 2 : 1;  // the count line and the cursor's row
    std::vector<Line> lines;
    for (std::size_t detail = kLogLines + 1; detail-- > 0;) {
      lines.clear();
      for (const Step* step : running_) {
        append_step(lines, *step, detail, now);
      }
      if (lines.size() <= room) {
        break;
      }
    }
    if (lines.size() > room) {
      const std::size_t left_out = lines.size() - room + 1;
      lines.resize(room - 1);
      lines.push_back(Line{.text = fmt::format("       {} more steps are running", left_out),
                           .text_color = Color::Dim});
    }
    lines.push_back(count_line(now));
    return lines;
  }

  /// `detail`: how many lines of log at most; 0 leaves out transfers too.
  void append_step(std::vector<Line>& lines, const Step& step, std::size_t detail, Time now) const {
    const auto ticks = (now - began_at_) / kFramePause;
    lines.push_back(
        Line{.mark = glyphs_.spinner[static_cast<std::size_t>(ticks) % glyphs_.spinner.size()],
             .mark_color = Color::Cyan,
             .text = timed(now - step.started, printable(step.name))});
    if (detail == 0) {
      return;
    }
    append_items(lines, step, detail * kItemLines, now);
    for (std::string& text : log_tail(step, detail)) {
      lines.push_back(
          Line{.text = fmt::format("       {} {}", glyphs_.bar, text), .text_color = Color::Dim});
    }
  }

  void append_items(std::vector<Line>& lines, const Step& step, std::size_t most, Time now) const {
    std::size_t shown = 0;
    std::size_t hidden = 0;
    for (const Item& item : step.items) {
      if (item.done) {
        continue;
      }
      if (shown == most) {
        ++hidden;
        continue;
      }
      ++shown;
      lines.push_back(Line{.text = fmt::format("       {}", item_text(item, now))});
    }
    if (hidden > 0) {
      lines.push_back(
          Line{.text = fmt::format("       and {} more", hidden), .text_color = Color::Dim});
    }
  }

  std::string item_text(const Item& item, Time now) const {
    std::string text = short_digests(printable(item.name));
    if (item.total != 0) {
      text += " " + bar(item.current, item.total);
      text += fmt::format(" {} / {}", transfer_size(item.current), transfer_size(item.total));
    } else if (item.current != 0) {
      text += fmt::format(" {}", transfer_size(item.current));
    }
    if (item.bytes_per_second >= 1 && now - item.changed_at < kStalled) {
      text +=
          fmt::format(" {}/s", transfer_size(static_cast<std::uint64_t>(item.bytes_per_second)));
    }
    return text;
  }

  std::string bar(std::uint64_t current, std::uint64_t total) const {
    const double part = std::min(1.0, static_cast<double>(current) / static_cast<double>(total));
    const auto full = static_cast<std::size_t>(part * kBarColumns);
    std::string text;
    for (std::size_t i = 0; i < kBarColumns; ++i) {
      text += i < full ? glyphs_.full : glyphs_.empty;
    }
    return text;
  }

  /// The last lines that show anything, the unfinished one included, oldest first.
  static std::vector<std::string> log_tail(const Step& step, std::size_t count) {
    std::vector<std::string> tail;
    const auto take = [&](const LogLine& line) {
      std::string text = printable(line.bytes);
      if (text.find_first_not_of(' ') != std::string::npos) {
        tail.push_back(std::move(text));
      }
    };
    const bool err_is_newer = step.partial[1].time > step.partial[0].time;
    take(step.partial[err_is_newer ? 1 : 0]);
    for (auto line = step.log.rbegin(); line != step.log.rend() && tail.size() < count; ++line) {
      take(*line);
    }
    std::reverse(tail.begin(), tail.end());
    return tail;
  }

  Line count_line(Time now) const {
    std::string text = timed(now - began_at_, fmt::format("{} running", running_.size()));
    if (done_ > 0) {
      text += fmt::format(", {} done", done_);
    }
    if (cached_ > 0) {
      text += fmt::format(", {} cached", cached_);
    }
    return Line{.mark = " ", .text = std::move(text), .text_color = Color::Dim};
  }

  /// Draws `lines` in place of the live part; finished lines scroll out above it. Nothing if
  /// nothing changed.
  std::string frame(const std::vector<Line>& lines, WindowSize size) {
    std::vector<std::string> plain;
    std::string body;
    for (const Line& line : lines) {
      append_row(body, line, size.columns, &plain);
    }
    if (finished_.empty() && body == shown_body_ && size.columns == shown_columns_) {
      return {};
    }
    std::string out(kFrameBegin);
    if (const std::size_t up = rows_on_screen(size); up > 0) {
      out += fmt::format("\x1b[{}A", up);
    }
    if (size.columns != shown_columns_) {
      out +=
          kClearBelow;  // rows that the resize has wrapped must not be joined again by the next one
    }
    for (const Line& line : std::exchange(finished_, {})) {
      append_row(out, line, size.columns, nullptr);
    }
    out += body;
    out += kFrameEnd;
    shown_ = std::move(plain);
    shown_body_ = std::move(body);
    shown_columns_ = size.columns;
    return out;
  }

  /// One column stays free, so that no terminal wraps.
  void append_row(std::string& out, const Line& line, std::size_t columns,
                  std::vector<std::string>* plain) const {
    const std::string text = truncate(line.text, columns > 4 ? columns - 4 : 1);
    const auto painted = [&](Color color, std::string_view what) {
      return style_.color && color != Color::None ? fmt::format("{}{}\x1b[0m", escape(color), what)
                                                  : std::string(what);
    };
    out +=
        fmt::format(" {} {}", painted(line.mark_color, line.mark), painted(line.text_color, text));
    out += kLineEnd;
    if (plain != nullptr) {
      plain->push_back(fmt::format(" {} {}", line.mark, text));
    }
  }

  /// How many rows the live part takes now: a narrower window has wrapped its lines.
  std::size_t rows_on_screen(WindowSize size) const {
    std::size_t rows = 0;
    for (const std::string& line : shown_) {
      const std::size_t width = std::max<std::size_t>(display_width(line), 1);
      rows += (width + size.columns - 1) / size.columns;
    }
    return std::min(rows, size.rows > 1 ? size.rows - 1 : 1);
  }

  TtyStyle style_;
  Glyphs glyphs_;
  std::function<WindowSize()> size_;
  bool began_ = false;
  Time began_at_;
  Time last_frame_;
  std::vector<const Step*> running_;
  std::vector<Line> finished_;  // not written yet
  std::size_t done_ = 0;
  std::size_t cached_ = 0;
  std::vector<std::string> shown_;  // the live part on the screen
  std::string shown_body_;
  std::size_t shown_columns_ = 0;
};

}  // namespace

std::unique_ptr<Printer> make_tty_printer(TtyStyle style, std::function<WindowSize()> size) {
  return std::make_unique<TtyPrinter>(style, std::move(size));
}

}  // namespace mybuild::progress
