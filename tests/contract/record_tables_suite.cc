// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/record_tables_suite.h"

#include <gmock/gmock.h>

namespace mybuild::cache_server {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RecordTablesContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RecordEvictionContract);

void RecordTablesContract::link(const std::string& space, const std::string& layer,
                                std::uint64_t size) {
  ASSERT_TRUE(store_->repositories().link_blob(space, Digest::of("blob of " + layer), size, time_));
}

PublishAnswer::One RecordTablesContract::publish(const Spaces& spaces, const StepRecord& record,
                                                 const std::map<std::string, std::string>& facts) {
  const Sign sign = [&](const std::string&) -> Result<std::string> {
    return std::string(64 - spaces.front().size(), '.') + spaces.front();
  };
  const auto answer = tables().publish(spaces, {{.record = record, .facts = facts}}, sign, time_);
  EXPECT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->results.size(), 1U);
  return answer->results.at(0);
}

PublishAnswer RecordTablesContract::publish_all(const std::vector<PublishedRecord>& records) {
  const Sign sign = [](const std::string&) -> Result<std::string> { return std::string(64, '.'); };
  const auto answer = tables().publish({"main"}, records, sign, time_);
  EXPECT_TRUE(answer) << answer.error().message();
  return *answer;
}

std::vector<SignedRecord> RecordTablesContract::lookup(const Spaces& spaces,
                                                       const LookupRequest& keys) {
  const auto records = tables().lookup(spaces, keys, time_, time_ + hours(24));
  EXPECT_TRUE(records) << records.error().message();
  return *records;
}

std::vector<StepRecord> RecordTablesContract::find(const Spaces& spaces,
                                                   const LookupRequest& keys) {
  std::vector<StepRecord> records;
  for (const SignedRecord& record : lookup(spaces, keys)) {
    records.push_back(*parse_step_record(record.body));
  }
  return records;
}

bool RecordTablesContract::has_blob(const std::string& space, const std::string& layer) {
  return store_->repositories()
      .find_blob({space}, Digest::of("blob of " + layer), time_)
      ->has_value();
}

namespace {

TEST_P(RecordTablesContract, WhatWasPublishedIsFoundByBothKeysAlsoAfterARestart) {
  const StepRecord record = sample_record();
  link("main", "layer");
  EXPECT_THAT(by_content(record), IsEmpty());
  EXPECT_EQ(result_of({"main"}, record), PublishResult::Accepted);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(by_content(record), ElementsAre(record));
    EXPECT_THAT(by_definition(record), ElementsAre(record));
    EXPECT_EQ(counts().records, 1U);
    reopen();
  }
}

TEST_P(RecordTablesContract, ARecordComesWithTheBytesThatWereSigned) {
  const StepRecord record = sample_record();
  link("main", "layer");
  publish({"main"}, record);
  const auto found = lookup({"main"}, {.definitions = {}, .contents = {record.content}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].space, "main");
  EXPECT_EQ(found[0].body, dump(record));
  EXPECT_EQ(found[0].signature, std::string(60, '.') + "main");
}

TEST_P(RecordTablesContract, ARecordThatIsAskedForByBothKeysComesOnce) {
  const StepRecord record = sample_record();
  link("main", "layer");
  publish({"main"}, record);
  EXPECT_EQ(find({"main"}, {.definitions = {record.definition, record.definition},
                            .contents = {record.content, record.content}})
                .size(),
            1U);
}

TEST_P(RecordTablesContract, WithoutItsBlobThereIsNoRecord) {
  const StepRecord record = sample_record();
  const PublishAnswer::One answer = publish({"main"}, record);
  EXPECT_EQ(answer.result, PublishResult::Refused);
  EXPECT_EQ(answer.message, "its layer " + record.blob.digest.str() + " is not there");
  link("other", "layer");
  EXPECT_EQ(result_of({"main"}, record), PublishResult::Refused) << "another's blob is nobody's";
  EXPECT_THAT(by_content(record), IsEmpty());
}

TEST_P(RecordTablesContract, ABlobOfAnotherSizeIsNotTheRecords) {
  link("main", "layer", 11);
  const PublishAnswer::One answer = publish({"main"}, sample_record());
  EXPECT_EQ(answer.result, PublishResult::Refused);
  EXPECT_THAT(answer.message, HasSubstr("has 11 bytes, not 10"));
}

TEST_P(RecordTablesContract, ABlobOfAnAncestorIsLinkedInTheNamespace) {
  link("main", "layer");
  EXPECT_FALSE(has_blob("pr", "layer"));
  EXPECT_EQ(result_of({"pr", "team", "main"}, sample_record()), PublishResult::Accepted);
  EXPECT_TRUE(has_blob("pr", "layer"));
  EXPECT_FALSE(has_blob("team", "layer"));
  EXPECT_THAT(by_content(sample_record(), {"main"}), IsEmpty()) << "a child writes itself only";
}

TEST_P(RecordTablesContract, TheBlobOfARecordCantBeTakenAway) {
  link("main", "layer");
  publish({"main"}, sample_record());
  EXPECT_EQ(store_->repositories().unlink_blob("main", Digest::of("blob of layer")).error().kind(),
            ErrorKind::Denied);
}

TEST_P(RecordTablesContract, TheFirstOutcomeOfAContentIsKept) {
  const StepRecord first = sample_record("step", "first");
  const StepRecord second = sample_record("step", "second");
  link("main", "first");
  link("main", "second");
  publish({"main"}, first);
  const PublishAnswer::One answer = publish({"main"}, second);
  EXPECT_EQ(answer.result, PublishResult::Different);
  EXPECT_THAT(answer.message, HasSubstr(first.output.str()));
  EXPECT_THAT(by_content(first), ElementsAre(first));
  EXPECT_THAT(by_definition(first), ElementsAre(first));
  EXPECT_EQ(counts().different, 1U);
  reopen();
  EXPECT_EQ(counts().different, 1U);
}

TEST_P(RecordTablesContract, OtherTimesAreNoOtherOutcome) {
  const StepRecord first = sample_record("step", "first");
  StepRecord second = sample_record("step", "second");
  second.output = first.output;
  link("main", "first");
  publish({"main"}, first);
  EXPECT_EQ(result_of({"main"}, second), PublishResult::Known);
  EXPECT_THAT(by_content(first), ElementsAre(first));
  EXPECT_EQ(counts().different, 0U);
}

TEST_P(RecordTablesContract, AnotherDefinitionOfAContentGetsTheFirstOutcome) {
  const StepRecord first = sample_record("step", "first");
  StepRecord second = sample_record("step", "second");
  second.definition = Digest::of("another definition");
  second.inputs = {Digest::of("another input")};
  link("main", "first");
  publish({"main"}, first);
  EXPECT_EQ(result_of({"main"}, second), PublishResult::Different);

  const std::vector<StepRecord> found = by_definition(second);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].inputs, second.inputs);
  EXPECT_EQ(found[0].output, first.output);
  EXPECT_EQ(found[0].blob, first.blob);
  EXPECT_EQ(found[0].diff_id, first.diff_id);
  EXPECT_EQ(by_content(first).size(), 1U) << "one word about a content is enough";
  EXPECT_EQ(counts().records, 2U);
}

TEST_P(RecordTablesContract, AParentsWordComesFirst) {
  const StepRecord parents = sample_record("step", "first");
  const StepRecord childs = sample_record("step", "second");
  link("main", "first");
  link("pr", "second");
  publish({"main"}, parents);
  EXPECT_EQ(result_of({"pr", "main"}, childs), PublishResult::Accepted);
  EXPECT_THAT(by_content(parents, {"pr", "main"}), ElementsAre(parents, childs));
  EXPECT_THAT(by_definition(parents, {"pr", "main"}), ElementsAre(parents, childs));
  EXPECT_THAT(by_content(parents, {"main"}), ElementsAre(parents));
}

TEST_P(RecordTablesContract, OfADefinitionTheNewestAreTold) {
  StepRecord record = sample_record();
  link("main", "layer");
  std::vector<StepRecord> newest;
  for (std::size_t i = 0; i < kMaxRecordsPerKey + 2; ++i) {
    time_ += hours(1);
    record.content = Digest::of(std::to_string(i));
    publish({"main"}, record);
    newest.insert(newest.begin(), record);
  }
  newest.resize(kMaxRecordsPerKey);
  EXPECT_EQ(by_definition(record), newest);
}

TEST_P(RecordTablesContract, AnAnswerIsNoLongerThanAMessage) {
  StepRecord record = sample_record();
  record.step.assign(kMaxStepName, '\x01');
  record.inputs.assign(kMaxInputs, Digest::of("input"));
  link("main", "layer");
  LookupRequest keys;
  std::vector<PublishedRecord> records;
  for (int i = 0; i < 1'400; ++i) {
    record.content = Digest::of(std::to_string(i));
    record.definition = Digest::of("definition " + std::to_string(i));
    records.push_back({.record = record, .facts = {}});
    keys.contents.push_back(record.content);
  }
  publish_all(records);
  LookupAnswer answer{.space = "main", .keys = {}, .records = lookup({"main"}, keys)};
  EXPECT_LT(answer.records.size(), keys.contents.size());
  const std::size_t bytes = dump(answer).size();
  EXPECT_LE(bytes, kMaxMessageBytes);
  EXPECT_GT(bytes, kMaxMessageBytes - kMaxMessageBytes / 8);
}

TEST_P(RecordTablesContract, TheCostOfAStepIsTheLongestThatItTook) {
  StepRecord record = sample_record();
  link("main", "layer");
  EXPECT_EQ(*tables().cost({"main"}, record.definition), std::nullopt);
  publish({"main"}, record);
  record.content = Digest::of("another");
  record.cost_ms = 2'500;
  publish({"pr", "main"}, record);
  EXPECT_EQ(*tables().cost({"main"}, record.definition), std::chrono::milliseconds(1'500));
  EXPECT_EQ(*tables().cost({"pr", "main"}, record.definition), std::chrono::milliseconds(2'500));
}

TEST_P(RecordTablesContract, TheNearestRecordsOfAStepAreTold) {
  link("main", "layer");
  const auto with = [&](const std::string& name, const std::map<std::string, std::string>& facts) {
    StepRecord record = sample_record();
    record.content = Digest::of(name);
    record.definition = Digest::of("definition " + name);
    publish({"main"}, record, facts);
    return record;
  };
  with("far", {{"base", "x"}, {"env", "x"}});
  const StepRecord near = with("near", {{"base", "b"}, {"env", "x"}, {"old", "1"}});
  const auto answer =
      tables().nearest({"main"}, {.step = "RUN step", .facts = {{"base", "b"}, {"env", "e"}}});
  ASSERT_EQ(answer->nearest.size(), 2U);
  EXPECT_EQ(answer->nearest[0].record.body, dump(near));
  EXPECT_THAT(answer->nearest[0].different, ElementsAre("env", "old"));
  EXPECT_THAT(answer->nearest[1].different, ElementsAre("base", "env"));
  EXPECT_TRUE(tables().nearest({"main"}, {.step = "RUN other", .facts = {}})->nearest.empty());
  EXPECT_TRUE(tables().nearest({"pr"}, {.step = "RUN step", .facts = {}})->nearest.empty());
}

TEST_P(RecordTablesContract, APublishIsAsAWholeOrNotAtAll) {
  link("main", "layer");
  int signatures = 0;
  const Sign sign = [&](const std::string&) -> Result<std::string> {
    if (++signatures == 2) {
      return internal_error("no");
    }
    return std::string(64, '.');
  };
  const auto answer = tables().publish({"main"},
                                       {{.record = sample_record("one"), .facts = {}},
                                        {.record = sample_record("two"), .facts = {}}},
                                       sign, time_);
  EXPECT_FALSE(answer);
  EXPECT_THAT(by_content(sample_record("one")), IsEmpty());
  EXPECT_EQ(counts().records, 0U);
}

TEST_P(RecordTablesContract, OneRefusalLeavesTheOthers) {
  link("main", "layer");
  const PublishAnswer answer =
      publish_all({{.record = sample_record("one", "missing"), .facts = {}},
                   {.record = sample_record("two"), .facts = {}},
                   {.record = sample_record("two"), .facts = {}}});
  EXPECT_EQ(answer.results.at(0).result, PublishResult::Refused);
  EXPECT_EQ(answer.results.at(1).result, PublishResult::Accepted);
  EXPECT_EQ(answer.results.at(2).result, PublishResult::Known);
}

TEST_P(RecordEvictionContract, WhatWasJustPublishedGoesWhenNobodyHasAskedForIt) {
  const StepRecord record = add("a");
  EXPECT_EQ(evict(10), 1U);
  EXPECT_FALSE(is_there(record));
  EXPECT_EQ(counts().records, 0U);
}

TEST_P(RecordEvictionContract, TheOneThatIsWorthLeastGoesFirst) {
  const StepRecord dear = add("dear", 600'000);
  const StepRecord large = add("large", 1'000, 1'000'000);
  const StepRecord cheap = add("cheap", 1'000);
  time_ += hours(2);
  EXPECT_EQ(evict(1), 1U);
  EXPECT_FALSE(is_there(large));
  EXPECT_EQ(evict(1), 1U);
  EXPECT_FALSE(is_there(cheap));
  EXPECT_TRUE(is_there(dear));
}

TEST_P(RecordEvictionContract, ALieAboutTheCostBuysEightTimesTheTimeAndNoMore) {
  const StepRecord rubbish = add("rubbish", kMaxCostMs);
  const StepRecord honest = add("honest", 10, 100'000'000);
  time_ += hours(70);
  add("younger", 10, 100'000'000);
  time_ += hours(9);
  EXPECT_EQ(evict(1), 1U);
  EXPECT_FALSE(is_there(honest)) << "79 hours, against an eighth of it";
  EXPECT_EQ(evict(1), 1U);
  EXPECT_FALSE(is_there(rubbish)) << "more than 9 hours";
}

TEST_P(RecordEvictionContract, RecordsGoForTheirOwnBytesThoughTheirBlobStays) {
  link("main", "layer");
  for (int i = 0; i < 10; ++i) {
    publish({"main"}, sample_record(std::to_string(i)), {{"fact", std::string(1'000, 'x')}});
  }
  const std::uint64_t bytes = counts().bytes;
  EXPECT_GT(bytes, 20'000U);
  const auto go_on = []() -> Result<bool> { return true; };
  EXPECT_EQ(
      *tables().evict({.blob_bytes = 0, .record_bytes = bytes / 2, .used_before = Time::max()},
                      time_, go_on),
      5U);
  EXPECT_EQ(counts().bytes, bytes / 2);
  ASSERT_EQ(*tables().remove_since("main", time_), 5U);
  EXPECT_EQ(counts().bytes, 0U);
}

TEST_P(RecordEvictionContract, ItCanBeToldToStopAfterSomeHundred) {
  link("main", "layer");
  std::vector<PublishedRecord> records;
  for (int i = 0; i < 1'200; ++i) {
    records.push_back({.record = sample_record(std::to_string(i)), .facts = {}});
  }
  publish_all(records);
  time_ += hours(2);
  const auto evicted =
      tables().evict({.blob_bytes = 1, .record_bytes = 0, .used_before = Time::max()}, time_,
                     []() -> Result<bool> { return false; });
  EXPECT_GT(*evicted, 0U);
  EXPECT_LE(*evicted, 600U);
  EXPECT_EQ(counts().records, 1'200U - *evicted);
}

TEST_P(RecordEvictionContract, TheOneThatNobodyUsesGoesBeforeAnother) {
  const StepRecord old = add("a");
  time_ += hours(100);
  const StepRecord fresh = add("b");
  time_ += hours(2);
  EXPECT_EQ(evict(1), 1U);
  EXPECT_FALSE(is_there(old));
  EXPECT_TRUE(is_there(fresh));
}

TEST_P(RecordEvictionContract, WhatALookupReturnedStaysForADayAlsoAfterARestart) {
  const StepRecord record = add("a");
  time_ += hours(100);
  ASSERT_EQ(by_definition(record).size(), 1U);
  reopen();
  time_ += hours(23);
  EXPECT_EQ(evict(10), 0U);
  ASSERT_EQ(by_definition(record).size(), 1U);
  time_ += hours(23);
  EXPECT_EQ(evict(10), 0U) << "each lookup promises anew";
  time_ += hours(8);
  EXPECT_EQ(evict(10), 1U);
}

TEST_P(RecordEvictionContract, APinnedRecordStays) {
  const StepRecord record = add("a");
  const StepRecord other = add("b");
  EXPECT_TRUE(*tables().set_pin({.space = "main", .content = record.content}, true));
  EXPECT_FALSE(*tables().set_pin({.space = "pr", .content = record.content}, true));
  time_ += hours(1'000);
  reopen();
  ASSERT_EQ(tables().pins()->size(), 1U);
  EXPECT_EQ(tables().pins()->at(0).content, record.content);
  EXPECT_EQ(evict(1'000), 1U);
  EXPECT_TRUE(is_there(record));
  EXPECT_FALSE(is_there(other));
  EXPECT_TRUE(*tables().set_pin({.space = "main", .content = record.content}, false));
  EXPECT_TRUE(tables().pins()->empty());
  EXPECT_EQ(evict(1'000), 1U);
}

TEST_P(RecordEvictionContract, ASharedBlobIsFreeWhenItsLastRecordHasGone) {
  link("main", "layer");
  publish({"main"}, sample_record("a"));
  publish({"pr", "main"}, sample_record("b"));
  time_ += hours(2);
  EXPECT_EQ(evict(1), 2U);
  EXPECT_TRUE(*store_->repositories().unlink_blob("main", Digest::of("blob of layer")));
  EXPECT_TRUE(*store_->repositories().unlink_blob("pr", Digest::of("blob of layer")));
}

TEST_P(RecordEvictionContract, WhatAPinOrAPromiseKeepsAnywayLosesNoRecord) {
  link("main", "layer");
  const StepRecord pinned = sample_record("a");
  publish({"main"}, pinned);
  publish({"main"}, sample_record("b"));
  ASSERT_TRUE(*tables().set_pin({.space = "main", .content = pinned.content}, true));
  const StepRecord alone = add("alone", 600'000);
  time_ += hours(2);
  EXPECT_EQ(evict(1'000), 1U);
  EXPECT_FALSE(is_there(alone));
  EXPECT_TRUE(is_there(sample_record("b")));
}

TEST_P(RecordEvictionContract, ALayerThatIsFoundSecondsAfterItsRecordCameIsInUse) {
  add("a");
  time_ += std::chrono::seconds(5);
  EXPECT_TRUE(has_blob("main", "a")) << "for an image, say";
  time_ += RepositoryTables::kTimeToName;
  EXPECT_EQ(evict(10), 0U);
  time_ += RepositoryTables::kBetweenUses;
  EXPECT_EQ(evict(10), 1U);
}

TEST_P(RecordEvictionContract, ABlobThatWasJustFoundKeepsItsRecords) {
  const StepRecord record = add("a");
  time_ += hours(3);
  EXPECT_TRUE(has_blob("main", "a"));
  EXPECT_EQ(evict(1), 0U) << "its bytes may not go, so nothing would be gained";
  time_ += RepositoryTables::kInUse;
  EXPECT_TRUE(*store_->repositories().has_blob({"main"}, record.blob.digest)) << "no use";
  EXPECT_EQ(evict(1), 1U);
}

TEST_P(RecordEvictionContract, TheLayersOfWhatWentCountAsUnused) {
  const StepRecord record = add("a");
  time_ += RepositoryTables::kInUse;
  link("main", "another's");
  ASSERT_EQ(evict(1), 1U);
  const auto unlinked = *store_->repositories().unlink_unused(time_ - hours(2), 1'000);
  ASSERT_EQ(unlinked.free.size(), 1U);
  EXPECT_EQ(unlinked.free[0].blob, record.blob.digest);
}

TEST_P(RecordEvictionContract, WhatAnImageNeedsLosesNoRecord) {
  const StepRecord record = add("a");
  link("main", "manifest");
  ManifestRow image;
  image.repository = "main/app";
  image.space = "main";
  image.digest = Digest::of("blob of manifest");
  image.blobs = {record.blob.digest};
  ASSERT_TRUE(store_->repositories().put_manifest(image, "latest", time_));
  time_ += hours(2);
  EXPECT_EQ(evict(1), 0U);
  ASSERT_TRUE(*store_->repositories().remove_manifest("main/app", image.digest));
  EXPECT_EQ(evict(1), 1U);
}

TEST_P(RecordEvictionContract, ManyGoAtOnce) {
  link("main", "layer");
  std::vector<PublishedRecord> records;
  for (int i = 0; i < 700; ++i) {
    records.push_back({.record = sample_record(std::to_string(i)), .facts = {}});
  }
  publish_all(records);
  time_ += hours(2);
  EXPECT_EQ(evict(1), 700U) << "they hold one layer together";
  EXPECT_EQ(counts().records, 0U);
}

TEST_P(RecordTablesContract, WhatAStolenTokenWroteCanBeTakenBack) {
  link("main", "layer");
  publish({"main"}, sample_record("before"));
  time_ += hours(1);
  const Time stolen = time_;
  publish({"main"}, sample_record("after"));
  publish({"pr", "main"}, sample_record("elsewhere"));
  EXPECT_EQ(*tables().remove_since("main", stolen), 1U);
  EXPECT_EQ(by_content(sample_record("before")).size(), 1U);
  EXPECT_THAT(by_content(sample_record("after")), IsEmpty());
  EXPECT_EQ(by_content(sample_record("elsewhere"), {"pr"}).size(), 1U);
}

TEST_P(RecordTablesContract, AllThatAStolenTokenWroteGoesHoweverMuchItIs) {
  link("main", "layer");
  std::vector<PublishedRecord> records;
  for (int i = 0; i < 1'100; ++i) {
    records.push_back({.record = sample_record(std::to_string(i)), .facts = {}});
  }
  publish_all(records);
  EXPECT_EQ(*tables().remove_since("main", time_), 1'100U);
  EXPECT_EQ(counts().records, 0U);
}

TEST_P(RecordTablesContract, WhatIsPinnedIsNotRemovedWithTheOthers) {
  link("main", "layer");
  const StepRecord pinned = sample_record("pinned");
  publish({"main"}, pinned);
  publish({"main"}, sample_record("other"));
  ASSERT_TRUE(*tables().set_pin({.space = "main", .content = pinned.content}, true));
  EXPECT_EQ(*tables().remove_since("main", time_), 1U);
  EXPECT_EQ(by_content(pinned).size(), 1U);
  ASSERT_TRUE(*tables().set_pin({.space = "main", .content = pinned.content}, false));
  EXPECT_EQ(*tables().remove_since("main", time_), 1U);
}

TEST_P(RecordTablesContract, RecordsOfALostBlobGo) {
  link("main", "layer");
  link("main", "other");
  publish({"main"}, sample_record("a"));
  publish({"pr", "main"}, sample_record("b"));
  publish({"main"}, sample_record("c", "other"));
  EXPECT_EQ(*tables().remove_of_blob(Digest::of("blob of layer")), 2U);
  EXPECT_EQ(counts().records, 1U);
  EXPECT_TRUE(*store_->repositories().unlink_blob("main", Digest::of("blob of layer")));
}

TEST_P(RecordTablesContract, ALinkThatIsForgottenTakesItsRecordsAlong) {
  link("main", "layer");
  publish({"main"}, sample_record("a"));
  ASSERT_TRUE(store_->repositories().forget_blob(Digest::of("blob of layer")));
  EXPECT_THAT(by_content(sample_record("a")), IsEmpty());
  EXPECT_EQ(counts().records, 0U);
}

}  // namespace
}  // namespace mybuild::cache_server
