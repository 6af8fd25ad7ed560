// SPDX-License-Identifier: Apache-2.0
// Helpers that crash, hang, talk rubbish or too much: each is one error, soon.
#include "builder/git/helper_process.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace mybuild::git {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class HelperProcess : public ::testing::Test {
 protected:
  Result<HelperResult> call(const std::string& script) {
    HelperCall call;
    call.program = dir_.path() + "/helper";
    EXPECT_TRUE(write_file(call.program, "#!/bin/sh\n" + script, 0755));
    call.request.scratch = dir_.path();
    call.stall = stall_;
    call.on_progress = [this](const HelperProgress& p) { progress_ += p.text; };
    call.on_warning = [this](const std::string& text) { warnings_ += text; };
    return call_helper(call, cancel_);
  }

  TempDir dir_ = TempDir::create().value();
  Cancel cancel_;
  std::chrono::milliseconds stall_ = 10s;
  std::string progress_;
  std::string warnings_;
};

TEST_F(HelperProcess, its_answers_arrive) {
  const auto result = call(
      "echo '{\"progress\":\"p\"}' >&4; echo '{\"warning\":\"w\"}' >&4\n"
      "echo '{\"result\":\"c\",\"time\":7}' >&4; sleep 100\n");
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->commit, "c");
  EXPECT_EQ(result->time, 7);
  EXPECT_EQ(progress_ + warnings_, "pw");
}

TEST_F(HelperProcess, its_environment_is_clean) {
  ::setenv("GIT_SSH_COMMAND", "evil", 1);
  const auto result = call("env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; exit 3\n");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("status 3"));
  EXPECT_THAT(result.error().message(), HasSubstr("HOME LC_ALL PATH"));
  EXPECT_THAT(result.error().message(), ::testing::Not(HasSubstr("GIT")));
}

TEST_F(HelperProcess, a_crash_is_an_error_that_says_so) {
  const auto result = call("echo last words >&2; kill -SEGV $$\n");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("signal 11"));
  EXPECT_THAT(result.error().message(), HasSubstr("last words"));
}

TEST_F(HelperProcess, silence_ends_it_and_what_it_started) {
  stall_ = 200ms;
  const auto start = Clock::now();
  const auto result = call("echo '{\"progress\":\"p\"}' >&4; sleep 100 & sleep 100\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Deadline);
  EXPECT_THAT(result.error().message(), HasSubstr("stalls"));
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST_F(HelperProcess, cancel_ends_it_at_once) {
  std::jthread other([this] {
    std::this_thread::sleep_for(100ms);
    cancel_.request(make_error(ErrorKind::Cancelled, "enough"));
  });
  const auto start = Clock::now();
  const auto result = call("sleep 100\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Cancelled);
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST_F(HelperProcess, rubbish_is_an_error) {
  EXPECT_FALSE(call("echo rubbish >&4; sleep 100\n"));
  EXPECT_FALSE(call("head -c 3000000 /dev/zero >&4; sleep 100\n"));
  const auto chatty = call("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1\n");
  ASSERT_FALSE(chatty);
  EXPECT_LT(chatty.error().message().size(), 4096U);
}

TEST_F(HelperProcess, a_program_that_is_not_there_is_named) {
  HelperCall missing;
  missing.program = "/nonexistent/mybuild-git";
  const auto result = call_helper(missing, cancel_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("/nonexistent/mybuild-git"));
}

}  // namespace
}  // namespace mybuild::git
