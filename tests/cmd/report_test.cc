// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/report.h"

#include "cmd/mybuild/progress/plain.h"
#include "tests/cmd/event_script.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace mybuild::progress {
namespace {

TEST(Report, AFailedRunIsShownAsBuildxDoes) {
  const auto printer = make_plain_printer();
  EventScript build(*printer, {.log_lines = 10, .log_bytes = 1 << 20});
  build.start_step('a', "[2/3] RUN false");
  build.at(123);
  build.log('a', "its output\nunfinished");
  build.start_step('b', "[other 1/1] RUN sleep 9");
  build.log('b', "of no interest\n");
  build.failed('a', Error(ErrorKind::ProcessFailed, "exit code: 1"));
  build.failed('b', Error(ErrorKind::Cancelled, "cancelled"));
  const Error error =
      Error(ErrorKind::ProcessFailed,
            "process \"/bin/sh -c false\" did not complete successfully: exit code: 1")
          .with_hint("look at the output above")
          .at({.file = "Dockerfile",
               .first_line = 3,
               .last_line = 3,
               .excerpt = "   2 |     \n   3 | >>> RUN false\n"});
  EXPECT_EQ(
      failed_steps_text(build.table().failed(), {}) + error_text(error, "failed to build", {}),
      "------\n"
      " > [2/3] RUN false:\n"
      "0.123 its output\n"
      "0.123 unfinished\n"
      "------\n"
      "Dockerfile:3\n"
      "--------------------\n"
      "   2 |     \n"
      "   3 | >>> RUN false\n"
      "--------------------\n"
      "ERROR: failed to build: process \"/bin/sh -c false\" did not complete successfully: exit "
      "code: 1\n"
      "hint: look at the output above\n");
}

TEST(Report, OfALongLogTheEndIsShownAndTheRestCounted) {
  const auto printer = make_plain_printer();
  EventScript build(*printer, {.log_lines = 2, .log_bytes = 1 << 20});
  build.start_step('a', "A");
  for (int i = 1; i <= 5; ++i) {
    build.log('a', fmt::format("line {}\n", i));
  }
  build.failed('a', Error(ErrorKind::ProcessFailed, "exit code: 1"));
  EXPECT_EQ(
      failed_steps_text(build.table().failed(), {}),
      "------\n > A:\n… 3 earlier lines are not repeated\n0.000 line 4\n0.000 line 5\n------\n");
}

TEST(Report, OnATerminalLogsAreNeutralised) {
  const auto printer = make_plain_printer();
  EventScript build(*printer, {.log_lines = 10, .log_bytes = 1 << 20});
  build.start_step('a', "A");
  build.log('a', "\x1b[31mred\xff\n");
  build.failed('a', Error(ErrorKind::ProcessFailed, "x"));
  EXPECT_EQ(failed_steps_text(build.table().failed(), {}),
            "------\n > A:\n0.000 \x1b[31mred\xff\n------\n");
  EXPECT_EQ(failed_steps_text(build.table().failed(), {.color = false, .neutralise = true}),
            "------\n > A:\n0.000 red\xef\xbf\xbd\n------\n");
}

TEST(Report, AnErrorWithoutAPlaceIsOneLine) {
  EXPECT_EQ(error_text(not_found("image x not found"), "", {}), "ERROR: image x not found\n");
  EXPECT_EQ(error_text(not_found("x"), "failed to build", {.color = true, .neutralise = true}),
            "\x1b[31mERROR:\x1b[0m failed to build: x\n");
}

TEST(Report, WhatTheMachineLacksHasAHintWhereverItIsMissed) {
  EXPECT_THAT(error_text(os_error(ENOSPC, "write /x"), "", {}),
              ::testing::ContainsRegex("^ERROR: write /x: .*\nhint: .*mybuild prune"));
  EXPECT_THAT(error_text(os_error(EROFS, "open /x").context("commit layer"), "", {}),
              ::testing::HasSubstr("--root"));
  EXPECT_THAT(error_text(os_error(EMFILE, "open /x"), "", {}), ::testing::HasSubstr("ulimit -n"));
  EXPECT_THAT(error_text(os_error(ENOSPC, "x").with_hint("own words"), "", {}),
              ::testing::HasSubstr("hint: own words\n"));
}

TEST(Report, WarningsAreCountedAndListed) {
  EXPECT_EQ(warnings_text({}, false, {}), "");
  const solver::Warning cased{
      .message = "FromAsCasing: 'as' and 'FROM' keywords' casing do not match",
      .detail = "The 'as' keyword should match",
      .location = SourceLocation{
          .file = "Dockerfile", .first_line = 1, .last_line = 1, .excerpt = ">>> FROM"}};
  EXPECT_EQ(warnings_text({cased}, false, {}),
            "\n 1 warning found (use --debug to expand):\n"
            " - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n");
  const solver::Warning plain{.message = "m", .detail = {}, .location = {}};
  EXPECT_EQ(warnings_text({cased, plain}, true, {}),
            "\n 2 warnings found:\n"
            " - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n"
            "The 'as' keyword should match\n"
            "Dockerfile:1\n--------------------\n>>> FROM\n--------------------\n\n"
            " - m\n");
}

TEST(Report, TheSummarySaysWhatWasMade) {
  EXPECT_EQ(summary_text({.took = std::chrono::milliseconds(6200),
                          .steps = 7,
                          .cached = 5,
                          .image_id = "sha256:0123",
                          .names = {"docker.io/library/a:1"},
                          .files = {"out.tar"}},
                         {}),
            "built in 6.2s: 7 steps, 5 cached\n"
            "  image sha256:0123\n"
            "  named docker.io/library/a:1\n"
            "  wrote out.tar\n");
  EXPECT_EQ(summary_text({.steps = 1}, {}), "built in 0.0s: 1 step\n");
}

}  // namespace
}  // namespace mybuild::progress
