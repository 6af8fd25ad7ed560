// SPDX-License-Identifier: Apache-2.0
#include "builder/export/push_start.h"

#include "tests/export/fake_push.h"
#include "tests/export/fixture.h"

#include <thread>

namespace mybuild::exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// A tag that has an image of ours, and a build that is going to push another one there.
class Started : public ExportTest {
 protected:
  Started() {
    deps_->push = &push_;
    spec_.type = OutputType::Registry;
    output_.names = {name("h.io/app:1")};
    EXPECT_TRUE(run_export(spec_));
    push_.questions = 0;
    push_.sent.clear();
    start_.emplace(lanes_, push_, *content_, cancel_);
    deps_->start = &*start_;
  }
  static oci::Reference name(const char* text) { return oci::Reference::parse(text).value(); }
  /// The question was answered, and so many uploads are begun.
  void wait_for(int questions, std::size_t uploads) {
    while (push_.questions < questions) {
      std::this_thread::yield();
    }
    while (start_->named(output_.names.front()) && begun() < uploads) {
      std::this_thread::yield();
    }
  }
  std::size_t begun() {
    lanes_.fan_out(Lane::Net, 1, [](std::size_t) { return Status(); }).value();
    return push_.begun_count();
  }

  FakePush push_;
  std::optional<PushStart> start_;
  OutputSpec spec_;
};

TEST_F(Started, NobodyAsksAgainWhatATagNames) {
  start_->ask(output_.names);
  wait_for(1, 0);
  ASSERT_TRUE(run_export(spec_));
  EXPECT_EQ(push_.questions, 1);
  EXPECT_THAT(push_.puts, SizeIs(1)) << "the tag names it already";
}

TEST_F(Started, TheLayerAndTheConfigGoByUploadsThatWereBegunForThem) {
  start_->ask(output_.names);
  start_->expect_layer();
  wait_for(1, 2);
  output_.images.front().config.labels["new"] = "1";
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.begun, SizeIs(2));
  EXPECT_THAT(push_.taken, SizeIs(1)) << "of the config; the layers are there";
  start_.reset();
  EXPECT_THAT(push_.forgotten, SizeIs(1));
}

TEST_F(Started, ABuildThatFailsLeavesNothingBegun) {
  start_->expect_layer();
  start_->ask(output_.names);
  wait_for(1, 2);
  start_.reset();
  EXPECT_THAT(push_.forgotten, UnorderedElementsAre("app/0", "app/1"));
}

TEST_F(Started, NothingIsBegunWhereTheTagIsNew) {
  output_.names = {name("h.io/app:2")};
  start_->ask(output_.names);
  start_->expect_layer();
  wait_for(1, 0);
  ASSERT_TRUE(run_export(spec_));
  start_.reset();
  EXPECT_THAT(push_.begun, IsEmpty());
  EXPECT_EQ(push_.questions, 1);
}

TEST_F(Started, NothingIsBegunWithoutASmallLayer) {
  start_->ask(output_.names);
  wait_for(1, 0);
  start_.reset();
  EXPECT_THAT(push_.begun, IsEmpty());
}

TEST_F(Started, TwoTagsOfARepositoryShareItsUploads) {
  push_.tags["h.io/app:2"] = push_.tags.at("h.io/app:1");
  start_->expect_layer();
  start_->ask({name("h.io/app:1"), name("h.io/app:2")});
  wait_for(2, 2);
  EXPECT_TRUE(start_->named(name("h.io/app:2")));
  EXPECT_TRUE(start_->take(name("h.io/app")));
  EXPECT_TRUE(start_->take(name("h.io/app")));
  EXPECT_FALSE(start_->take(name("h.io/app")));
  EXPECT_FALSE(start_->take(name("h.io/other")));
}

TEST_F(Started, WhatWentWrongEarlyIsTriedAgain) {
  push_.away = true;
  start_->ask(output_.names);
  while (push_.questions < 1) {
    std::this_thread::yield();
  }
  lanes_.fan_out(Lane::Net, 1, [](std::size_t) { return Status(); }).value();
  push_.away = false;
  const Result<ExportReport> report = run_export(spec_);
  if (!report) {  // it was still being asked: the one question is answered for both
    EXPECT_EQ(report.error().kind(), ErrorKind::Unavailable);
  }
  ASSERT_TRUE(run_export(spec_));
}

TEST_F(Started, ARegistryThatBeginsNothingGetsItAsEver) {
  push_.refuses_streams = true;
  start_->ask(output_.names);
  start_->expect_layer();
  wait_for(1, 0);
  output_.images.front().config.labels["new"] = "1";
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.taken, IsEmpty());
  EXPECT_THAT(push_.sent, SizeIs(1));
}

}  // namespace
}  // namespace mybuild::exporter
