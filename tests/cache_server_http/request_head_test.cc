// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/request_head.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

TEST(RequestHead, PathAndQueryAreDecoded) {
  Request request;
  ASSERT_TRUE(set_target(request, "/v2/a%2fb/tags?n=5&last=x%20y+z&flag&n=6"));
  EXPECT_EQ(request.path, "/v2/a/b/tags");
  EXPECT_EQ(request.parameter("n"), "6");
  EXPECT_EQ(request.parameter("last"), "x y z");
  EXPECT_EQ(request.parameter("flag"), "");
}

TEST(RequestHead, WhatIsNotWellFormedIsRefused) {
  for (const char* target : {"", "*", "x", "/%", "/%4", "/%g0", "/%0a", "/a?b=%7f"}) {
    Request request;
    EXPECT_FALSE(set_target(request, target)) << target;
  }
}

TEST(RequestHead, NoValueBeginsALineOfItsOwn) {
  Answer answer = json_answer(200, "{}");
  answer.with("Location", "/x\r\nSet-Cookie: a=b");
  const std::string head = head_of(answer, true);
  EXPECT_NE(head.find("Location: /x  Set-Cookie: a=b\r\n"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 2\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Connection"), std::string::npos);
}

TEST(RequestHead, AnAnswerWithoutContentSaysNoLength) {
  EXPECT_EQ(head_of(Answer{.status = 204, .headers = {}, .body = {}, .note = {}}, false),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

}  // namespace
}  // namespace mybuild::cache_server
