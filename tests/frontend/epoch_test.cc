// SPDX-License-Identifier: Apache-2.0
// Where SOURCE_DATE_EPOCH may come from, and what it comes to.
#include "tests/frontend/fake_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::HasSubstr;

Result<FrontendOutput> build_with(std::string text, std::optional<std::string> argument) {
  FrontendInput input = testing_support::input_of(std::move(text));
  input.contexts.emplace("assets", LocalContext{});
  if (argument) {
    input.build_args["SOURCE_DATE_EPOCH"] = *argument;
  }
  testing_support::FakeResolver resolver;
  return build_dockerfile(input, resolver);
}

TEST(Epoch, ComesFromTheArgumentOrAGlobalDefault) {
  const std::string file = "ARG SOURCE_DATE_EPOCH=7\nFROM alpine\n";
  EXPECT_EQ(build_with("FROM alpine\n", {})->source_date_epoch, std::nullopt);
  EXPECT_EQ(build_with("FROM alpine\n", "5")->source_date_epoch, 5);
  EXPECT_EQ(build_with("FROM alpine\n", "0")->source_date_epoch, 0);
  EXPECT_EQ(build_with(file, {})->source_date_epoch, 7);
  EXPECT_EQ(build_with(file, "5")->source_date_epoch, 5);
  EXPECT_EQ(build_with(file, "")->source_date_epoch, std::nullopt) << "switched off";
  EXPECT_EQ(build_with("FROM alpine\nARG SOURCE_DATE_EPOCH=7\n", {})->source_date_epoch,
            std::nullopt)
      << "an ARG of a stage is no more than that";
}

TEST(Epoch, DirectoriesAndImagesHaveNoTime) {
  for (const char* value : {"context", "assets"}) {
    const auto asked = build_with("FROM alpine\n", value);
    ASSERT_TRUE(asked) << asked.error().message();
    EXPECT_EQ(asked->source_date_epoch, std::nullopt);
    ASSERT_EQ(asked->warnings.size(), 1U);
    EXPECT_THAT(asked->warnings[0].message, HasSubstr(value));
    const auto by_default =
        build_with(fmt::format("ARG SOURCE_DATE_EPOCH={}\nFROM alpine\n", value), {});
    EXPECT_EQ(by_default->source_date_epoch, std::nullopt);
    EXPECT_TRUE(by_default->warnings.empty());
  }
}

TEST(Epoch, StepsSeeTheNumber) {
  const std::string file = "FROM alpine\nARG SOURCE_DATE_EPOCH\nRUN x\n";
  const auto env_of = [](const FrontendOutput& out) {
    return std::get<solver::ExecOp>(out.graph.vertices().back().op).env;
  };
  EXPECT_THAT(env_of(*build_with(file, "5")), testing::Contains("SOURCE_DATE_EPOCH=5"));
  EXPECT_THAT(env_of(*build_with(file, "context")), testing::Contains("SOURCE_DATE_EPOCH="));
}

TEST(Epoch, WhatIsNoneIsRefused) {
  for (const char* value : {"x", "-1", "5s", " 5", "1e3", "253402300800", "99999999999999999999"}) {
    const auto got = build_with("FROM alpine\n", value);
    ASSERT_FALSE(got) << value;
    EXPECT_EQ(got.error().message(), fmt::format("invalid SOURCE_DATE_EPOCH: {}", value));
  }
  const auto in_file = build_with("ARG A\nARG SOURCE_DATE_EPOCH=x\nFROM alpine\n", {});
  ASSERT_FALSE(in_file);
  EXPECT_EQ(in_file.error().location()->first_line, 2);
}

/// Knows the time of any source, and remembers whose it was asked for.
class Clock final : public MetaResolver {
 public:
  std::vector<Result<ImageMeta>> resolve(const std::vector<ImageRequest>& requests) override {
    return images_.resolve(requests);
  }
  Result<std::optional<std::int64_t>> source_time(const solver::SourceOp& source) override {
    asked.push_back(source);
    return answer;
  }

  Result<std::optional<std::int64_t>> answer = std::optional<std::int64_t>(1234);
  std::vector<solver::SourceOp> asked;

 private:
  testing_support::FakeResolver images_;
};

const solver::HttpSource kFile{
    .url = "https://example.com/a", .filename = "context", .checksum = {}};
const solver::GitSource kCommit{
    .remote = "https://example.com/a.git", .ref = "v1", .subdir = {}, .checksum = {}};

TEST(Epoch, RemoteContextsHaveATime) {
  const auto time_of = [](const MainContext& main, const NamedContext& named,
                          const std::string& value, const solver::SourceOp& source) {
    FrontendInput input = testing_support::input_of("FROM alpine\n");
    input.context = main;
    input.contexts.emplace("src", named);
    input.build_args["SOURCE_DATE_EPOCH"] = value;
    Clock clock;
    const auto out = build_dockerfile(input, clock);
    EXPECT_TRUE(out) << out.error().message();
    EXPECT_EQ(out->source_date_epoch, 1234);
    EXPECT_TRUE(out->warnings.empty());
    EXPECT_THAT(clock.asked, testing::ElementsAre(source));
  };
  time_of(kCommit, LocalContext{}, "context", kCommit);
  time_of(kFile, LocalContext{}, "context", kFile);
  time_of(ArchiveContext{kFile}, LocalContext{}, "context", kFile);
  time_of(LocalContext{}, kCommit, "src", kCommit);
  time_of(LocalContext{}, kFile, "src", kFile);
}

Result<FrontendOutput> build_at(const std::string& text, const std::string& value, Clock& clock) {
  FrontendInput input = testing_support::input_of(text);
  input.build_args = {{"SOURCE_DATE_EPOCH", value}, {"B", "given"}};
  return build_dockerfile(input, clock);
}

TEST(Epoch, SourcesMayHaveNoneOrAnImpossibleOne) {
  const std::string file = "FROM scratch AS src\nADD https://example.com/a /\nFROM alpine\n";
  Clock clock;
  clock.answer = std::optional<std::int64_t>();
  const auto none = build_at(file, "src", clock);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->source_date_epoch, std::nullopt);
  EXPECT_EQ(none->warnings.size(), 1U);
  clock.answer = std::optional<std::int64_t>(-1);
  EXPECT_THAT(build_at(file, "src", clock).error().message(),
              HasSubstr("cannot have its time, -1"));
  clock.answer = not_found("no such commit");
  EXPECT_EQ(build_at(file, "src", clock).error().message(),
            "SOURCE_DATE_EPOCH=src: no such commit");
}

TEST(Epoch, ACheckAsksForNone) {
  FrontendInput input = testing_support::input_of("FROM alpine\n");
  input.context = kCommit;
  input.build_args["SOURCE_DATE_EPOCH"] = "context";
  Clock clock;
  EXPECT_FALSE(check_dockerfile(input, clock).error);
  EXPECT_TRUE(outline_dockerfile(input, clock));
  EXPECT_TRUE(clock.asked.empty());
}

TEST(Epoch, AStageHasTheTimeOfItsSource) {
  Clock clock;
  const auto out = build_at(
      "ARG G=global\nFROM scratch AS src\nARG V=1 B=x\n"
      "ADD --checksum=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "
      "https://example.com/$G-$V-$B.tar /\nFROM alpine\n",
      "SRC", clock);
  ASSERT_TRUE(out) << out.error().message();
  EXPECT_EQ(out->source_date_epoch, 1234);
  ASSERT_EQ(clock.asked.size(), 1U);
  const auto& http = std::get<solver::HttpSource>(clock.asked[0]);
  EXPECT_EQ(http.url, "https://example.com/global-1-given.tar");
  EXPECT_EQ(http.filename, "global-1-given.tar");
  EXPECT_EQ(http.checksum, Digest::of(""));
  ASSERT_TRUE(build_at(
      "FROM scratch AS src\nADD --keep-git-dir https://h.org/a#v1 /\nFROM alpine\n", "src", clock));
  EXPECT_TRUE(std::get<solver::GitSource>(clock.asked[1]).keep_git_dir);
}

TEST(Epoch, AStageHasOneOnlyIfItIsARemoteSource) {
  const auto message = [](const std::string& stage) {
    return build_with(stage + "\nFROM alpine\n", "Src").error().message();
  };
  for (const char* stage :
       {"FROM alpine AS src\nADD https://example.com/a /", "FROM scratch AS src",
        "FROM scratch AS src\nCOPY a /", "FROM scratch AS src\nADD a /",
        "FROM scratch AS src\nADD https://a/b https://a/c /",
        "FROM scratch AS src\nADD https://a/b /\nADD https://a/c /",
        "FROM scratch AS src\nADD https://a/b /\nENV a=b"}) {
    EXPECT_THAT(message(stage), HasSubstr("has no time of its own")) << stage;
  }
}

}  // namespace
}  // namespace mybuild::frontend
