// SPDX-License-Identifier: Apache-2.0
// Requests and answers survive their encoding.
#include "builder/git/protocol.h"

#include <gtest/gtest.h>

namespace mybuild::git {
namespace {

TEST(GitProtocol, a_request_is_what_it_was) {
  HelperRequest request;
  request.op = HelperRequest::Op::Provide;
  request.remote = "https://h/a";
  request.authorization = "basic x";
  request.known_hosts = {"/a", "/b"};
  request.has_agent = true;
  request.use_git_program = false;
  request.object = "0123";
  request.subdir = "d/e";
  request.submodules = false;
  request.keep_git_dir = true;
  const Result<HelperRequest> again = decode_request(encode(request));
  ASSERT_TRUE(again);
  EXPECT_EQ(encode(*again), encode(request));
  EXPECT_EQ(again->subdir, "d/e");
  EXPECT_FALSE(again->submodules);
}

TEST(GitProtocol, answers_are_what_they_were) {
  const HelperAnswer progress =
      HelperProgress{.text = "receiving objects", .current = 1, .total = 2, .bytes = 3};
  EXPECT_EQ(std::get<HelperProgress>(decode_answer(encode(progress)).value()).bytes, 3U);
  const HelperAnswer result =
      HelperResult{.ref_name = "refs/heads/a", .object = "1", .commit = "2", .time = -5};
  EXPECT_EQ(std::get<HelperResult>(decode_answer(encode(result)).value()).time, -5);
  const HelperAnswer warning = HelperWarning{"w\xff"};
  EXPECT_TRUE(decode_answer(encode(warning)));
  const HelperAnswer error = make_error(ErrorKind::Denied, "no").with_hint("ask");
  const Error again = std::get<Error>(decode_answer(encode(error)).value());
  EXPECT_EQ(again.kind(), ErrorKind::Denied);
  EXPECT_EQ(again.message(), "no");
  EXPECT_EQ(again.hint(), "ask");
}

TEST(GitProtocol, garbage_is_an_error) {
  for (const char* line : {"", "x", "[]", "{\"progress\":1}", "{\"result\":[]}"}) {
    EXPECT_FALSE(decode_answer(line)) << line;
  }
}

}  // namespace
}  // namespace mybuild::git
