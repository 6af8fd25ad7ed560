// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/tty.h"

#include "tests/cmd/event_script.h"
#include "tests/cmd/screen.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mybuild::progress {
namespace {

class TtyTest : public testing::Test {
 protected:
  /// What the screen shows now; each write must leave the cursor visible.
  std::string screen() {
    screen_.write(build_.take());
    EXPECT_TRUE(screen_.cursor_visible());
    return screen_.text();
  }

  WindowSize size_{.columns = 60, .rows = 12};
  Screen screen_{60, 12};
  std::unique_ptr<Printer> printer_ =
      make_tty_printer({.color = false, .unicode = false}, [this] { return size_; });
  EventScript build_{*printer_, {.log_lines = 1000, .log_bytes = 1 << 20}};
};

TEST_F(TtyTest, RunningStepsShowTimeTransfersAndTheEndOfTheirLog) {
  build_.cached('x', "[1/3] FROM busybox");
  build_.start_step('a', "[2/3] RUN make");
  build_.log('a', "one\ntwo\nthree\n\nfour");
  build_.start_step('b', "[other 1/2] FROM debian");
  build_.item('b', "sha256:0123", 0, 40'000'000);
  build_.at(500);
  build_.item('b', "sha256:0123", 10'000'000, 40'000'000);
  build_.at(1000);
  EXPECT_EQ(screen(),
            " -   1.0s [2/3] RUN make\n"
            "          | two\n"
            "          | three\n"
            "          | four\n"
            " -   1.0s [other 1/2] FROM debian\n"
            "          sha256:0123 ##...... 10.00MB / 40.00MB 20.00MB/s\n"
            "     1.0s 2 running, 1 cached\n");
}

TEST_F(TtyTest, AnUsualWindowHasRoomForTheBarBytesAndRateOfEachLayer) {
  size_ = {.columns = 80, .rows = 24};
  screen_ = Screen(80, 24);
  build_.start_step('a', "pulling busybox");
  const auto name = [](char layer) { return "pushing sha256:" + std::string(64, layer); };
  for (const int moment : {1, 500, 1000}) {
    build_.at(moment);
    for (char layer = 'a'; layer <= 'f'; ++layer) {
      build_.item('a', name(layer), static_cast<std::uint64_t>(moment) * 123'456, 246'912'000);
    }
  }
  build_.at(1100);
  const std::string text = screen();
  for (char layer = 'a'; layer <= 'f'; ++layer) {
    const std::string row = fmt::format(
        "pushing sha256:{} ####.... 123.46MB / 246.91MB 123.46MB/s\n", std::string(12, layer));
    EXPECT_NE(text.find(row), std::string::npos) << row << text;
  }
}

TEST_F(TtyTest, FinishedStepsScrollUpAndTheLivePartIsGoneAtTheEnd) {
  build_.start_step('i', "[internal] load metadata");
  build_.at(150);
  build_.done('i');
  build_.start_step('a', "[1/2] RUN make");
  build_.at(1150);
  build_.done('a');
  build_.start_step('b', "[2/2] RUN false");
  build_.at(1300);
  EXPECT_EQ(screen(),
            " +   1.0s [1/2] RUN make\n"
            " /   0.1s [2/2] RUN false\n"
            "     1.3s 1 running, 1 done\n");
  build_.at(1400);
  build_.failed('b', Error(ErrorKind::ProcessFailed, "exit code: 1"));
  build_.finish();
  EXPECT_EQ(screen(),
            " +   1.0s [1/2] RUN make\n"
            " x   0.2s [2/2] RUN false\n");
}

TEST_F(TtyTest, ABuildThatIsAllCachedDrawsNothing) {
  build_.start_step('i', "[internal] load metadata");
  build_.done('i');
  build_.cached('a', "[1/2] FROM busybox");
  build_.cached('b', "[2/2] RUN make");
  build_.finish();
  EXPECT_EQ(build_.take().find('\n'), std::string::npos);
  EXPECT_EQ(screen(), "");
}

TEST_F(TtyTest, FramesComeAtMostTenTimesASecond) {
  build_.start_step('a', "[1/1] RUN yes");
  for (int time = 0; time < 1000; time += 5) {
    build_.at(time);
    build_.log('a', fmt::format("line {}\n", time));
  }
  const std::string written = build_.take();
  std::size_t frames = 0;
  for (std::size_t at = written.find("\x1b[?25l"); at != std::string::npos;
       at = written.find("\x1b[?25l", at + 1)) {
    ++frames;
  }
  EXPECT_LE(frames, 10U);
  EXPECT_GE(frames, 8U);
}

TEST_F(TtyTest, BuildOutputCannotMoveTheCursor) {
  build_.start_step('a', "[1/1] RUN evil \x1b[2J name");
  build_.log('a', "\x1b[31mred\x1b[0m\x1b[10A\rover\x07\n\x1b]0;title\x07ok\n");
  build_.at(150);
  EXPECT_EQ(screen(),
            " /   0.1s [1/1] RUN evil  name\n"
            "          | over\n"
            "          | ok\n"
            "     0.1s 1 running\n");
}

TEST_F(TtyTest, LongAndWideLinesAreCutAtTheWindow) {
  build_.start_step('a', "[1/1] RUN " + std::string(200, 'x'));
  std::string wide;
  for (int i = 0; i < 60; ++i) {
    wide += "漢";
  }
  build_.log('a', wide + "\n");
  build_.at(100);
  screen();  // the screen itself fails on a row that may wrap
}

TEST_F(TtyTest, ANarrowerWindowLeavesNoRubbish) {
  build_.start_step('a', "[1/2] RUN " + std::string(40, 'x'));
  build_.log('a', std::string(45, 'y') + "\n");
  build_.at(100);
  screen();
  size_.columns = 30;
  screen_.narrow(30);
  build_.at(200);
  EXPECT_EQ(screen(),
            " -   0.2s [1/2] RUN xxxxxxxx…\n"
            "          | yyyyyyyyyyyyyyyy…\n"
            "     0.2s 1 running\n");
}

TEST_F(TtyTest, ASmallWindowShowsFewerLinesThenFewerSteps) {
  for (char step = 'a'; step < 'a' + 5; ++step) {
    build_.start_step(step, fmt::format("[{}] RUN x", step));
    build_.log(step, "1\n2\n3\n");
  }
  build_.at(100);
  EXPECT_EQ(screen(),
            " /   0.1s [a] RUN x\n          | 3\n"
            " /   0.1s [b] RUN x\n          | 3\n"
            " /   0.1s [c] RUN x\n          | 3\n"
            " /   0.1s [d] RUN x\n          | 3\n"
            " /   0.1s [e] RUN x\n          | 3\n"
            "     0.1s 5 running\n");
  size_.rows = 5;
  build_.at(200);
  const std::string text = screen();
  EXPECT_EQ(text.substr(text.rfind(" -   0.2s [b]")),
            " -   0.2s [b] RUN x\n"
            "          3 more steps are running\n"
            "     0.2s 5 running\n");
}

TEST_F(TtyTest, ColoursAreSentOnlyWhereTheyAreWanted) {
  build_.start_step('a', "[1/1] RUN x");
  build_.at(100);
  EXPECT_EQ(build_.take().find("m"), std::string::npos);

  const auto coloured =
      make_tty_printer({.color = true, .unicode = true}, [this] { return size_; });
  EventScript build(*coloured, {.log_lines = 10, .log_bytes = 1000});
  build.start_step('a', "[1/1] RUN x");
  build.at(100);
  build.done('a');
  build.finish();
  EXPECT_NE(build.take().find("\x1b[32m✔\x1b[0m"), std::string::npos);
}

}  // namespace
}  // namespace mybuild::progress
