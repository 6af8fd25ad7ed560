// SPDX-License-Identifier: Apache-2.0
// What is seen of a step that prints a secret.
#include "builder/masked_events.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>

namespace mybuild::builder {
namespace {

class Printed final : public solver::EventSink {
 public:
  void on_event(solver::Event event) override {
    if (const auto* chunk = std::get_if<solver::LogChunk>(&event)) {
      (chunk->stream == 1 ? out : err) += chunk->bytes;
      last = chunk->bytes;
    } else if (const auto* started = std::get_if<solver::VertexStarted>(&event)) {
      note({started->name});
    } else if (const auto* cached = std::get_if<solver::VertexCached>(&event)) {
      note({cached->name});
    } else if (const auto* progress = std::get_if<solver::Progress>(&event)) {
      note({progress->item});
    } else if (const auto* warning = std::get_if<solver::Warning>(&event)) {
      note({warning->message, warning->detail, warning->location->excerpt});
    } else if (error = std::get<solver::VertexDone>(event).error; error) {
      note({error->message(), error->hint(), error->location()->excerpt});
    }
  }
  void note(std::initializer_list<std::string> texts) {
    for (const std::string& text : texts) {
      names += text + ", ";
    }
  }
  std::string out;
  std::string err;
  std::string last;
  std::string names;  // and all other texts
  std::optional<Error> error;
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

TEST_F(MaskedEventsTest, NamesErrorsAndWarningsShowNoneEither) {
  known.add("hunter2");
  const solver::VertexId step = solver::internal_vertex("step");
  const SourceLocation place{
      .file = "Dockerfile", .first_line = 2, .last_line = 2, .excerpt = ">>> RUN login hunter2"};
  masked.on_event(solver::VertexStarted{step, "RUN login hunter2", {}});
  masked.on_event(solver::VertexCached{step, "RUN login hunter2", {}});
  masked.on_event(solver::Progress{.vertex = step, .item = "get hunter2", .time = {}});
  masked.on_event(
      solver::Warning{.message = "hunter2 again", .detail = "in hunter2", .location = place});
  masked.on_event(solver::VertexDone{step,
                                     {},
                                     make_error(ErrorKind::ProcessFailed, "login hunter2: failed")
                                         .with_exit_code(7)
                                         .with_hint("not hunter2?")
                                         .at(place)});
  EXPECT_EQ(seen.names,
            "RUN login ***, RUN login ***, get ***, *** again, in ***, >>> RUN login ***, "
            "login ***: failed, not ***?, >>> RUN login ***, ");
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->kind(), ErrorKind::ProcessFailed);
  EXPECT_EQ(seen.error->exit_code(), 7);
  EXPECT_EQ(seen.error->location()->first_line, 2);
}

TEST_F(MaskedEventsTest, WithoutValuesAllIsShownAtOnce) {
  print("hunt");
  EXPECT_EQ(seen.out, "hunt");
}

}  // namespace
}  // namespace mybuild::builder
