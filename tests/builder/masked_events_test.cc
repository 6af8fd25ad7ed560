// SPDX-License-Identifier: Apache-2.0
// What is seen of a step that prints a secret.
#include "builder/masked_events.h"

#include <gtest/gtest.h>

namespace mybuild::builder {
namespace {

class Printed final : public solver::EventSink {
 public:
  void on_event(solver::Event event) override {
    if (const auto* chunk = std::get_if<solver::LogChunk>(&event)) {
      (chunk->stream == 1 ? out : err) += chunk->bytes;
      last = chunk->bytes;
    }
  }
  std::string out;
  std::string err;
  std::string last;
};

class MaskedEventsTest : public testing::Test {
 protected:
  void print(const std::string& bytes, int stream = 1, const char* name = "step") {
    masked.on_event(solver::LogChunk{
        .vertex = solver::internal_vertex(name), .stream = stream, .bytes = bytes, .time = {}});
  }
  void end() { masked.on_event(solver::VertexDone{solver::internal_vertex("step"), {}, {}}); }

  Printed seen;
  secrets::KnownValues known;
  MaskedEvents masked{seen, known};
};

TEST_F(MaskedEventsTest, AValueIsThreeStars) {
  known.add("hunter2");
  print("password: hunter2, again hunter2hunter2\n");
  EXPECT_EQ(seen.out, "password: ***, again ******\n");
}

TEST_F(MaskedEventsTest, AlsoWhereItComesInPieces) {
  known.add("hunter2");
  for (const char c : std::string("xhunhunter2y\n")) {
    print(std::string(1, c));
  }
  EXPECT_EQ(seen.out, "xhun***y\n");
}

TEST_F(MaskedEventsTest, WhatOnlyBeginsLikeOneIsShownAtTheEnd) {
  known.add("hunter2");
  print("hunt");
  EXPECT_EQ(seen.out, "");
  end();
  EXPECT_EQ(seen.out, "hunt");
}

TEST_F(MaskedEventsTest, StreamsAndStepsAreNotMixed) {
  known.add("hunter2");
  print("hunt", 1);
  print("er2\n", 2);
  print("er2\n", 1, "another step");
  end();
  EXPECT_EQ(seen.err, "er2\n");
  EXPECT_EQ(seen.out, "er2\nhunt");
}

TEST_F(MaskedEventsTest, OfTwoValuesTheLongerOneIsMaskedAsAWhole) {
  known.add("hunter");
  known.add("hunter2-long");
  print("hunter2-long hunter\n");
  EXPECT_EQ(seen.out, "*** ***\n");
}

TEST_F(MaskedEventsTest, WithoutValuesAllIsShownAtOnce) {
  print("hunt");
  EXPECT_EQ(seen.out, "hunt");
}

}  // namespace
}  // namespace mybuild::builder
