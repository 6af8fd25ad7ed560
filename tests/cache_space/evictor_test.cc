// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/space/evictor.h"

#include "builder/cache_server/store/record_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/cache_server/sample.h"
#include "tests/support/memory_blob_store.h"

#include <gtest/gtest.h>

#include <optional>

namespace mybuild::cache_server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class MovedClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time = at_second(1'800'000'000);
};

/// A server that may keep 10,000 bytes, in layers of 1,000.
class EvictorTest : public ::testing::Test {
 protected:
  Digest upload(const std::string& name, std::size_t size = 1'000) {
    const std::string bytes = name + std::string(size - name.size(), '.');
    auto writer = blobs_->begin().value();
    EXPECT_TRUE(writer->write(as_bytes(bytes)));
    EXPECT_TRUE(keeper_.keep(std::move(writer), Digest::of(bytes), "main", clock_.time));
    return Digest::of(bytes);
  }
  StepRecord publish(const std::string& name, std::uint64_t cost_ms = 1'000) {
    StepRecord record = sample_record(name, name);
    record.blob.digest = upload(name);
    record.blob.size = 1'000;
    record.cost_ms = cost_ms;
    const auto answer = meta_->records().publish(
        {"main"}, {{.record = record, .facts = {}}},
        [](const std::string&) -> Result<std::string> { return std::string(64, '.'); },
        clock_.time);
    EXPECT_EQ(answer->results.at(0).result, PublishResult::Accepted);
    return record;
  }
  bool lookup(const StepRecord& record) {
    return !meta_->records()
                .lookup({"main"}, {.definitions = {}, .contents = {record.content}}, clock_.time,
                        clock_.time + hours(24))
                ->empty();
  }
  bool has_bytes(const Digest& blob) { return blobs_->size(blob)->has_value(); }
  Result<Evictor::Freed> run() {
    return evictor_.run([] { return true; });
  }
  Result<Evictor::Freed> make_room(std::uint64_t wanted) {
    return evictor_.make_room(wanted, [] { return true; });
  }
  std::uint64_t kept() { return meta_->repositories().linked_bytes().value(); }

  const TempDir directory_ = TempDir::create().value();
  const std::unique_ptr<MetaStore> meta_ =
      open_sqlite_meta_store(directory_.path() + "/cache.db").value();
  const std::unique_ptr<BlobStore> blobs_ = make_memory_blob_store();
  MovedClock clock_;
  std::uint64_t limit_ = 10'000;
  std::uint64_t record_limit_ = 100'000'000;
  std::optional<std::uint64_t> share_;
  BlobKeeper keeper_{*blobs_, *meta_};
  Evictor evictor_{*meta_, keeper_, clock_, [this] {
                     return Evictor::Limits{
                         .blobs = limit_, .records = record_limit_, .of_space = share_};
                   }};
};

TEST_F(EvictorTest, NothingGoesWhileThereIsRoom) {
  for (int i = 0; i < 9; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += hours(1'000);
  EXPECT_EQ(run()->bytes, 0U);
  EXPECT_EQ(kept(), 9'000U);
}

TEST_F(EvictorTest, WhatNobodyNeedsGoesFirst) {
  const Digest needless = upload("needless");
  for (int i = 0; i < 9; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += hours(1'000);
  const auto freed = run();
  EXPECT_EQ(freed->records, 0U);
  EXPECT_EQ(freed->blobs, 1U);
  EXPECT_FALSE(has_bytes(needless));
  EXPECT_EQ(kept(), 9'000U);
}

TEST_F(EvictorTest, ThenTheRecordsThatAreWorthLeastWithTheirLayers) {
  const StepRecord cheap = publish("cheap", 10);
  std::vector<StepRecord> others;
  for (int i = 0; i < 9; ++i) {
    others.push_back(publish(std::to_string(i)));
  }
  clock_.time += hours(1'000);
  const auto freed = run();
  EXPECT_EQ(freed->records, 1U);
  EXPECT_EQ(freed->bytes, 1'000U);
  EXPECT_EQ(freed->missing, 0U);
  EXPECT_FALSE(lookup(cheap));
  EXPECT_FALSE(has_bytes(cheap.blob.digest));
  for (const StepRecord& other : others) {
    EXPECT_TRUE(lookup(other) && has_bytes(other.blob.digest));
  }
}

TEST_F(EvictorTest, ALimitThatBecameSmallerIsReached) {
  for (int i = 0; i < 10; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += hours(1'000);
  limit_ = 2'500;
  EXPECT_EQ(run()->records, 8U);
  EXPECT_EQ(kept(), 2'000U);
}

TEST_F(EvictorTest, WhatWasPromisedStaysThoughThereIsNoRoom) {
  std::vector<StepRecord> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(publish(std::to_string(i)));
  }
  clock_.time += hours(1'000);
  for (const StepRecord& record : records) {
    ASSERT_TRUE(lookup(record));
  }
  clock_.time += hours(23);
  EXPECT_EQ(run()->missing, 1'000U);
  EXPECT_EQ(kept(), 10'000U);
  clock_.time += hours(10);
  EXPECT_EQ(run()->missing, 0U);
  EXPECT_EQ(kept(), 9'000U);
}

TEST_F(EvictorTest, AColdCacheThatFillsUpInSecondsGoesOnAtOnce) {
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(make_room(1'000)->missing, 0U) << i;
    publish(std::to_string(i));
    clock_.time += std::chrono::seconds(1);
  }
  EXPECT_EQ(kept(), 10'000U);
  EXPECT_EQ(meta_->records().counts()->records, 10U) << "nobody has asked for the others";
}

TEST_F(EvictorTest, ALargeLengthThatIsOnlyAnnouncedTakesNothingThatJustCame) {
  for (int i = 0; i < 10; ++i) {
    publish(std::to_string(i));
  }
  EXPECT_EQ(make_room(2'501)->records, 0U);
  EXPECT_EQ(run()->records, 0U) << "nor does it go when nobody needs the room at once";
  clock_.time += minutes(16);
  EXPECT_EQ(make_room(2'501)->records, 3U);
}

TEST_F(EvictorTest, LayersThatSomebodyIsAboutToNameStayForAQuarterOfAnHour) {
  for (int i = 0; i < 10; ++i) {
    upload(std::to_string(i));
  }
  clock_.time += minutes(14);
  EXPECT_EQ(run()->missing, 1'000U);
  clock_.time += minutes(1) + std::chrono::seconds(1);
  EXPECT_EQ(run()->missing, 0U);
  EXPECT_EQ(kept(), 9'000U);
}

TEST_F(EvictorTest, OfASlowPushTheFirstLayersStayWhileThereIsAnythingElse) {
  const Digest first = upload("first layer");
  clock_.time += minutes(60);
  for (int i = 0; i < 9; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += minutes(20);
  EXPECT_EQ(run()->records, 1U);
  EXPECT_TRUE(has_bytes(first));
  limit_ = 0;
  EXPECT_EQ(run()->records, 8U);
  EXPECT_FALSE(has_bytes(first));
}

TEST_F(EvictorTest, RecordsMayNotBeTooManyHoweverSmallTheirLayersAre) {
  for (int i = 0; i < 9; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += hours(1'000);
  record_limit_ = meta_->records().counts()->bytes;
  EXPECT_EQ(run()->records, 1U);
  EXPECT_EQ(run()->records, 0U) << "less than a twentieth was left, and more is now";
  EXPECT_EQ(meta_->records().counts()->records, 8U);
}

TEST_F(EvictorTest, ANamespaceBeyondItsShareLosesItsOwnAndOthersNothing) {
  const StepRecord mine = publish("mine");
  const StepRecord promised = publish("promised");
  const Digest named_nowhere = upload("needless");
  ASSERT_TRUE(meta_->repositories().link_blob("pr", mine.blob.digest, 1'000, clock_.time));
  ASSERT_TRUE(meta_->repositories().link_blob("pr", Digest::of("old"), 500, clock_.time));
  clock_.time += hours(1'000);
  ASSERT_TRUE(lookup(promised));
  share_ = 1'800;
  const auto freed = run();
  EXPECT_FALSE(has_bytes(named_nowhere));
  EXPECT_FALSE(lookup(mine));
  EXPECT_TRUE(has_bytes(mine.blob.digest)) << "another namespace has it still";
  EXPECT_TRUE(lookup(promised));
  EXPECT_EQ(freed->records, 1U);
  EXPECT_EQ(meta_->repositories().linked_bytes_of("main").value(), 1'000U);
  EXPECT_EQ(meta_->repositories().linked_bytes_of("pr").value(), 1'500U) << "that is allowed";
}

TEST_F(EvictorTest, RoomForOneRequestTakesNoMoreThanThat) {
  for (int i = 0; i < 10; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += hours(1'000);
  EXPECT_EQ(make_room(1'500)->records, 2U);
  EXPECT_EQ(make_room(2'000)->records, 0U) << "there is that much";
  EXPECT_EQ(make_room(10'001)->records, 0U) << "there will never be that much";
  EXPECT_EQ(kept(), 8'000U);
}

TEST_F(EvictorTest, WhoStopsItHasWhatWasFreedSoFar) {
  for (int i = 0; i < 1'200; ++i) {
    publish(std::to_string(i));
  }
  clock_.time += hours(1'000);
  limit_ = 0;
  int asked = 0;
  const auto freed = evictor_.run([&] { return ++asked < 3; });
  EXPECT_GT(freed->bytes, 0U);
  EXPECT_GT(freed->missing, 0U);
  EXPECT_EQ(kept(), 1'200'000U - freed->bytes);
}

TEST_F(EvictorTest, WhatIsPinnedStays) {
  const StepRecord pinned = publish("pinned", 1);
  ASSERT_TRUE(*meta_->records().set_pin({.space = "main", .content = pinned.content}, true));
  clock_.time += hours(1'000);
  limit_ = 0;
  upload("fresh");
  const auto freed = run();
  EXPECT_EQ(freed->records, 0U);
  EXPECT_EQ(freed->missing, 2'000U);
  EXPECT_TRUE(lookup(pinned));
}

}  // namespace
}  // namespace mybuild::cache_server
