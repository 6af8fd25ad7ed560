// SPDX-License-Identifier: Apache-2.0
// Files of absurd size or shape end with an answer in a short time: nothing here may be quadratic
// or recursive without end.
#include "tests/frontend/fake_resolver.h"

#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

template <class Line>
std::string repeat(int times, Line line) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    text += line(i);
  }
  return text;
}

TEST(Limits, AHundredThousandInstructions) {
  const auto out = testing_support::build(
      "FROM alpine\n" + repeat(100'000, [](int i) { return fmt::format("LABEL l{}=x\n", i); }));
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(100'000U, out->targets[0].config.labels.size());
}

TEST(Limits, AHundredThousandContinuedLines) {
  EXPECT_TRUE(testing_support::build("FROM alpine\nRUN true \\\n" +
                                     repeat(100'000, [](int) { return " && x \\\n"; }) + "y\n"));
}

TEST(Limits, AChainOfTenThousandStages) {
  const auto out = testing_support::build(
      "FROM alpine AS s0\n" + repeat(10'000, [](int i) {
        return fmt::format("FROM s{} AS s{}\nLABEL l{}=1\nRUN x\n", i, i + 1, i);
      }));
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(10'001U, out->graph.vertices().size());
}

TEST(Limits, CopiesFromAChainOfStagesInTheWrongOrder) {
  FrontendInput input = testing_support::input_of(
      repeat(20'000,
             [](int i) {
               return fmt::format("FROM alpine AS s{}\nCOPY --from=s{} / /\n", i, i + 1);
             }) +
      "FROM alpine AS s20000\n");
  input.target = "s0";
  testing_support::FakeResolver resolver;
  EXPECT_FALSE(build_dockerfile(input, resolver));
}

TEST(Limits, AFileThatBreaksARuleInEveryLine) {
  testing_support::FakeResolver resolver;
  const auto report = check_dockerfile(
      testing_support::input_of(
          repeat(10'000, [](int i) { return fmt::format("ARG A{}=1\n", i); }) +
          repeat(10'000, [](int i) { return fmt::format("FROM scratch${{X{0}}} as S{0}\n", i); }) +
          "FROM busybox\n" + repeat(10'000, [](int i) { return fmt::format("ENV E{}=1\n", i); }) +
          repeat(10'000, [](int i) { return fmt::format("ARG E{0}=2\nlabel l{0}=$Q{0}\n", i); })),
      resolver);
  EXPECT_FALSE(report.error);
  EXPECT_EQ(1000U, report.findings.size());
}

TEST(Limits, AFileOfBytesIsRefusedInOneLine) {
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) {
    bytes += static_cast<char>(1 + i * 7919 % 255);
  }
  const auto out = testing_support::build(bytes);
  ASSERT_FALSE(out);
  EXPECT_LT(out.error().message().size(), 500U);
}

TEST(Limits, ManyHeredocsOnOneLine) {
  EXPECT_TRUE(testing_support::build(
      "FROM alpine\nRUN " + repeat(5'000, [](int i) { return fmt::format("<<E{} ", i); }) + "\n" +
      repeat(5'000, [](int i) { return fmt::format("E{}\n", i); })));
}

}  // namespace
}  // namespace mybuild::frontend
