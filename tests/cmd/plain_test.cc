// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/plain.h"

#include "tests/cmd/event_script.h"

#include <gtest/gtest.h>

namespace mybuild::progress {
namespace {

class PlainTest : public testing::Test {
 protected:
  std::unique_ptr<Printer> printer_ = make_plain_printer();
  EventScript build_{*printer_, {.log_lines = 10, .log_bytes = 1 << 20}};
};

TEST_F(PlainTest, OneStepAfterAnotherLooksLikeBuildKit) {
  build_.start_step('a', "[internal] load build definition from Dockerfile");
  build_.item('a', "transferring dockerfile:", 31, 0, true);
  build_.done('a');
  build_.cached('b', "[1/3] FROM busybox");
  build_.start_step('c', "[2/3] RUN make");
  build_.at(123);
  build_.log('c', "one\ntwo\n");
  build_.at(10'300);
  build_.log('c', "err\n", 2);
  build_.done('c');
  build_.start_step('d', "[3/3] RUN false");
  build_.failed('d', Error(ErrorKind::ProcessFailed, "exit code: 1"));
  build_.start_step('e', "[other 1/1] RUN sleep 9");
  build_.failed('e', Error(ErrorKind::Cancelled, "cancelled"));
  build_.finish();
  EXPECT_EQ(build_.take(),
            "#1 [internal] load build definition from Dockerfile\n"
            "#1 transferring dockerfile: 31B done\n"
            "#1 DONE 0.0s\n"
            "\n"
            "#2 [1/3] FROM busybox\n"
            "#2 CACHED\n"
            "\n"
            "#3 [2/3] RUN make\n"
            "#3 0.123 one\n"
            "#3 0.123 two\n"
            "#3 10.300 err\n"
            "#3 DONE 10.3s\n"
            "\n"
            "#4 [3/3] RUN false\n"
            "#4 ERROR: exit code: 1\n"
            "\n"
            "#5 [other 1/1] RUN sleep 9\n"
            "#5 CANCELED\n");
}

TEST_F(PlainTest, LogLinesAreWholeAndNoByteIsLost) {
  build_.start_step('a', "A");
  build_.log('a', "par");
  build_.log('a', "err", 2);
  build_.at(500);
  build_.log('a', "tial\n\xff\x1b[1m\r\n\n");
  build_.log('a', "or\n", 2);
  build_.log('a', "no newline");
  build_.done('a');
  EXPECT_EQ(build_.take(),
            "#1 A\n"
            "#1 0.000 partial\n"
            "#1 0.500 \xff\x1b[1m\r\n"
            "#1 0.500 \n"
            "#1 0.000 error\n"
            "#1 0.500 no newline\n"
            "#1 DONE 0.5s\n");
}

TEST_F(PlainTest, AStepThatNeverEndsALineIsCutNotKept) {
  build_.start_step('a', "A");
  build_.log('a', std::string(200'000, 'x'));
  build_.done('a');
  const std::string text = build_.take();
  EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 200'000);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 4 + 1);
}

TEST_F(PlainTest, TheLinesOfParallelStepsStayTogether) {
  build_.start_step('a', "A");
  build_.start_step('b', "B");
  build_.at(100);
  build_.log('a', "a1\n");
  build_.log('b', "b1\n");
  build_.at(200);
  build_.log('a', "a2\n");
  build_.log('b', "b2\n");
  build_.done('a');
  build_.at(300);
  build_.log('b', "b3\n");
  build_.done('b');
  EXPECT_EQ(build_.take(),
            "#1 A\n#1 0.100 a1\n#1 0.200 a2\n#1 DONE 0.2s\n"
            "\n"
            "#2 B\n#2 0.100 b1\n#2 0.200 b2\n#2 0.300 b3\n#2 DONE 0.3s\n");
}

TEST_F(PlainTest, AStepThatEndsIsShownAtOnce) {
  build_.start_step('a', "A");
  build_.cached('b', "B");
  build_.log('a', "a1\n");
  build_.done('a');
  EXPECT_EQ(build_.take(),
            "#1 A\n#1 ...\n"
            "\n"
            "#2 B\n#2 CACHED\n"
            "\n"
            "#1 A\n#1 0.000 a1\n#1 DONE 0.0s\n");
}

TEST_F(PlainTest, ASilentStepGivesWay) {
  build_.start_step('a', "A");
  build_.at(100);
  build_.start_step('b', "B");
  build_.log('b', "b1\n");
  build_.at(450);
  EXPECT_EQ(build_.take(), "#1 A\n");
  build_.at(600);
  EXPECT_EQ(build_.take(), "#1 ...\n\n#2 B\n#2 0.000 b1\n");
}

TEST_F(PlainTest, ATalkativeStepGivesWayAfterSomeSeconds) {
  build_.start_step('a', "A");
  build_.start_step('b', "B");
  for (int time = 100; time <= 4900; time += 100) {
    build_.at(time);
    build_.log('a', "a\n");
  }
  EXPECT_EQ(build_.take().find("B"), std::string::npos);
  build_.at(5000);
  EXPECT_EQ(build_.take(), "#1 ...\n\n#2 B\n");
}

TEST_F(PlainTest, TransfersAreReportedNowAndThen) {
  build_.start_step('a', "A");
  for (int time = 0; time <= 10'000; time += 100) {
    build_.at(time);
    build_.item('a', "sha256:0123", static_cast<std::uint64_t>(time) * 1000, 12'000'000);
  }
  build_.at(10'500);
  build_.item('a', "sha256:0123", 12'000'000, 12'000'000, true);
  build_.item('a', "sha256:0123", 12'000'000, 12'000'000, true);
  build_.done('a');
  EXPECT_EQ(build_.take(),
            "#1 A\n"
            "#1 sha256:0123 0B / 12.00MB\n"
            "#1 sha256:0123 5.00MB / 12.00MB 5.0s\n"
            "#1 sha256:0123 10.00MB / 12.00MB 10.0s\n"
            "#1 sha256:0123 12.00MB / 12.00MB 10.5s done\n"
            "#1 DONE 10.5s\n");
}

TEST_F(PlainTest, ACacheHitAfterTheStartEndsTheStep) {
  build_.start_step('a', "A");
  build_.cached('a', "A");
  EXPECT_EQ(build_.take(), "#1 A\n#1 CACHED\n");
}

TEST_F(PlainTest, WhatIsStillWaitingAtTheEndIsShown) {
  build_.start_step('a', "A");
  build_.start_step('b', "B\nwith a second line");
  build_.finish();
  EXPECT_EQ(build_.take(), "#1 A\n#1 ...\n\n#2 B with a second line\n");
}

}  // namespace
}  // namespace mybuild::progress
