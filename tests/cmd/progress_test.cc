// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/progress.h"

#include "snapshotter/base/sys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>

#include <thread>

namespace mybuild::progress {
namespace {

solver::VertexId id(int step) {
  return {Digest::of(std::to_string(step))};
}

void play(solver::EventSink& events, int step, int lines) {
  const Time now = SystemClock().now();
  events.on_event(
      solver::VertexStarted{.vertex = id(step), .name = fmt::format("step {}", step), .time = now});
  for (int i = 0; i < lines; ++i) {
    events.on_event(solver::LogChunk{
        .vertex = id(step), .stream = 1, .bytes = fmt::format("{}.{}\n", step, i), .time = now});
  }
  events.on_event(solver::VertexDone{.vertex = id(step), .time = now, .error = {}});
}

/// Reads what is written to a pipe until it is closed.
class Reader {
 public:
  Reader()
      : pipe_(*sys::pipe()), thread_([this] { text_ = *sys::read_to_end(pipe_.read_end.get()); }) {}
  int fd() const { return pipe_.write_end.get(); }
  std::string text() {
    pipe_.write_end.reset();
    thread_.join();
    return text_;
  }

 private:
  Pipe pipe_;
  std::string text_;
  std::thread thread_;
};

TEST(Progress, EventsOfManyThreadsAllReachTheOutput) {
  constexpr int kSteps = 8;
  constexpr int kLines = 2000;
  Reader reader;
  const SystemClock clock;
  {
    Progress progress(Mode::Plain, reader.fd(), clock);
    std::vector<std::thread> threads;
    for (int step = 0; step < kSteps; ++step) {
      threads.emplace_back([&, step] { play(progress, step, kLines); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    progress.finish();
  }
  const std::string text = reader.text();
  for (int step = 0; step < kSteps; ++step) {
    std::size_t at = 0;
    for (int i = 0; i < kLines; ++i) {
      at = text.find(fmt::format(" {}.{}\n", step, i), at);
      ASSERT_NE(at, std::string::npos) << step << "." << i;
    }
  }
}

TEST(Progress, AThreadThatBeganEarlyPrintsWhatComes) {
  Reader silent;
  Reader reader;
  const SystemClock clock;
  {
    Progress nothing_comes(Mode::Plain, silent.fd(), clock);
    nothing_comes.begin();
    Progress progress(Mode::Plain, reader.fd(), clock);
    progress.begin();
    play(progress, 1, 1);
  }
  EXPECT_EQ(silent.text(), "");
  EXPECT_NE(reader.text().find(" 1.0\n"), std::string::npos);
}

TEST(Progress, TheOutcomeHasFailuresAndWarnings) {
  Reader reader;
  const SystemClock clock;
  Progress progress(Mode::Quiet, reader.fd(), clock);
  const Time now = clock.now();
  progress.on_event(solver::VertexStarted{.vertex = id(1), .name = "one", .time = now});
  progress.on_event(solver::LogChunk{.vertex = id(1), .stream = 2, .bytes = "why\n", .time = now});
  for (int i = 0; i < 2; ++i) {  // two steps that say the same
    progress.on_event(solver::Warning{.message = "w", .detail = {}, .location = {}});
  }
  progress.on_event(solver::VertexDone{
      .vertex = id(1), .time = now, .error = Error(ErrorKind::ProcessFailed, "exit code: 1")});
  const Outcome outcome = progress.finish();
  ASSERT_EQ(outcome.failed.size(), 1U);
  EXPECT_EQ(outcome.failed[0]->name, "one");
  ASSERT_EQ(outcome.failed[0]->log.size(), 1U);
  EXPECT_EQ(outcome.failed[0]->log[0].bytes, "why");
  EXPECT_EQ(outcome.warnings.size(), 1U);
  EXPECT_EQ(reader.text(), "");
}

TEST(Progress, PlainOutputThatStandsLastIsNotForTheReport) {
  for (const bool other_speaks_after : {false, true}) {
    Reader reader;
    const SystemClock clock;
    Progress progress(Mode::Plain, reader.fd(), clock);
    const Time now = clock.now();
    progress.on_event(solver::VertexStarted{.vertex = id(1), .name = "bad", .time = now});
    progress.on_event(
        solver::LogChunk{.vertex = id(1), .stream = 2, .bytes = "why\n", .time = now});
    progress.on_event(solver::VertexDone{
        .vertex = id(1), .time = now, .error = Error(ErrorKind::ProcessFailed, "exit code: 1")});
    if (other_speaks_after) {
      play(progress, 2, 1);
    }
    EXPECT_EQ(progress.finish().failed.size(), other_speaks_after ? 1U : 0U);
    EXPECT_NE(reader.text().find("why"), std::string::npos);
  }
}

TEST(Progress, NobodyReadingIsNoReasonToStop) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe = *sys::pipe();
  pipe.read_end.reset();
  const SystemClock clock;
  Progress progress(Mode::Plain, pipe.write_end.get(), clock);
  play(progress, 1, 10'000);
  EXPECT_TRUE(progress.finish().failed.empty());
}

TEST(Progress, ASlowReaderHoldsUpTheBuildButLosesNothing) {
  Pipe pipe = *sys::pipe();
  ASSERT_TRUE(sys::set_nonblocking(pipe.write_end.get(), true));
  const SystemClock clock;
  std::string text;
  std::thread slow([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    text = *sys::read_to_end(pipe.read_end.get());
  });
  {
    Progress progress(Mode::Plain, pipe.write_end.get(), clock);
    const Time now = clock.now();
    progress.on_event(solver::VertexStarted{.vertex = id(1), .name = "flood", .time = now});
    for (int i = 0; i < 400; ++i) {
      progress.on_event(solver::LogChunk{
          .vertex = id(1), .stream = 1, .bytes = std::string(60'000, 'x') + "\n", .time = now});
    }
    progress.finish();
  }
  pipe.write_end.reset();
  slow.join();
  EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 400 * 60'000);
}

TEST(Progress, AutoIsPlainWhereThereIsNoTerminal) {
  const Pipe pipe = *sys::pipe();
  EXPECT_EQ(resolve(Mode::Auto, pipe.write_end.get()), Mode::Plain);
  EXPECT_EQ(resolve(Mode::Tty, pipe.write_end.get()), Mode::Tty);
}

}  // namespace
}  // namespace mybuild::progress
