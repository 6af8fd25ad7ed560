// SPDX-License-Identifier: Apache-2.0
// What solve() asks the cache, and when.
#include "tests/solver/world.h"

#include <gtest/gtest.h>

#include <functional>

namespace mybuild::solver {
namespace {

/// Counts the questions.
class CountingIndex final : public CacheIndex {
 public:
  Result<std::vector<std::vector<CacheRecord>>> find_all(
      std::span<const DefinitionKey> keys) override {
    ++batches;
    asked += keys.size();
    return index_->find_all(keys);
  }
  Result<std::vector<CacheRecord>> find_late(const DefinitionKey& key) override {
    ++late_questions;
    std::vector<CacheRecord> records;
    for (const CacheRecord& record : late) {
      if (record.definition == key) {
        records.push_back(record);
      }
    }
    return records;
  }
  Result<std::vector<CacheRecord>> find(const ContentKey& key) override {
    ++others;
    return index_->find(key);
  }
  Result<std::vector<CacheRecord>> find(const OutputId& output) override {
    ++others;
    return index_->find(output);
  }
  Status add(const CacheRecord& record) override {
    {
      const std::lock_guard lock(mutex_);
      added.push_back(record);
    }
    return index_->add(record);
  }
  /// What was recorded becomes what another machine says.
  void export_all() {
    for (CacheRecord record : std::exchange(added, {})) {
      record.is_imported = true;
      record.output = {};
      record.content = {};
      late.push_back(std::move(record));
    }
    index_ = make_memory_index();
  }

  std::atomic<std::size_t> batches = 0;
  std::atomic<std::size_t> asked = 0;
  std::atomic<std::size_t> others = 0;
  std::atomic<std::size_t> late_questions = 0;
  std::vector<CacheRecord> late;
  std::vector<CacheRecord> added;

 private:
  std::mutex mutex_;
  std::unique_ptr<CacheIndex> index_ = make_memory_index();
};

class LookupTest : public ::testing::Test {
 protected:
  LookupTest() {
    auto counting = std::make_unique<CountingIndex>();
    index_ = counting.get();
    world_.index = std::move(counting);
  }
  void forget_questions() {
    index_->batches = 0;
    index_->asked = 0;
    index_->others = 0;
  }
  Edge source(const std::string& text, std::chrono::milliseconds duration = {}) {
    return world_.add({.definition = text,
                       .source = true,
                       .run = [text](const auto&) { return Result<std::string>(text); },
                       .duration = duration},
                      {});
  }
  Edge step(std::function<std::string(const std::string&)> change, Edge input) {
    return world_.add({.definition = "change",
                       .run =
                           [change](const std::vector<std::string>& texts) {
                             return Result<std::string>(change(texts[0]));
                           }},
                      {input});
  }
  bool is_cached(const SolveResult& result, Edge edge) {
    return result.vertices[edge.vertex].cached;
  }

  World world_;
  CountingIndex* index_ = nullptr;
};

TEST_F(LookupTest, AFullyCachedBuildAsksOnceForAllKeys) {
  const Edge base = source("base");
  Edge last = base;
  for (int i = 0; i < 20; ++i) {
    last = world_.join({last});
  }
  ASSERT_TRUE(world_.solve({last}));
  forget_questions();
  ASSERT_TRUE(world_.solve({last}));
  EXPECT_EQ(index_->batches, 1U);
  EXPECT_EQ(index_->asked, 20U);
  EXPECT_EQ(index_->others, 0U);
}

TEST_F(LookupTest, WhatIsKnownElsewhereIsFoundWithoutReadingFilesAndIsNotRecorded) {
  const Edge base = source("base");
  const Edge first = world_.join({base});
  const Edge copy =
      world_.add({.definition = "copy",
                  .rule = InputRule::Selected,
                  .run = [](const auto& texts) { return Result<std::string>(texts[0]); }},
                 {first});
  ASSERT_TRUE(world_.solve({copy}));
  EXPECT_EQ(index_->late_questions, 2U);
  world_.op(copy).hashed = 0;
  index_->export_all();
  const auto found = world_.solve({copy});
  ASSERT_TRUE(found);
  EXPECT_TRUE(is_cached(*found, first) && is_cached(*found, copy));
  EXPECT_EQ(world_.op(copy).hashed, 0);
  EXPECT_TRUE(index_->added.empty());
  EXPECT_FALSE(found->vertices[first.vertex].keys.content.digest.is_zero());
  EXPECT_TRUE(found->vertices[copy.vertex].keys.content.digest.is_zero());
}

TEST_F(LookupTest, WhatIsKnownHereOrMustRunIsNotAskedForElsewhere) {
  const Edge first = world_.join({source("base")});
  ASSERT_TRUE(world_.solve({first}));
  index_->late_questions = 0;
  ASSERT_TRUE(world_.solve({first}));
  EXPECT_EQ(index_->late_questions, 0U);
}

TEST_F(LookupTest, AnImportedRecordOfOtherInputsDoesNotCount) {
  const Edge input = source("input");
  const Edge generate = step([](const std::string& text) { return text + " generated"; }, input);
  const Edge use = step([](const std::string& text) { return text + " used"; }, generate);
  ASSERT_TRUE(world_.solve({use}));
  index_->export_all();
  index_->late.front().inputs = {OutputId{Digest::of("another")}};
  const auto result = world_.solve({use});
  ASSERT_TRUE(result);
  EXPECT_FALSE(is_cached(*result, generate));
  EXPECT_TRUE(is_cached(*result, use));
}

TEST_F(LookupTest, KeysBehindAMergeAreInTheSameQuestion) {
  const Edge base = source("base");
  const Edge a = world_.join({base});
  const Edge b = world_.join({base});
  const Edge merge = world_.add({.definition = "merge",
                                 .source = true,
                                 .run =
                                     [](const std::vector<std::string>& texts) {
                                       return Result<std::string>(texts[0] + texts[1]);
                                     }},
                                {a, b});
  const Edge last = world_.join({merge});
  ASSERT_TRUE(world_.solve({last}));
  forget_questions();
  ASSERT_TRUE(world_.solve({last}));
  EXPECT_EQ(index_->batches, 1U);
  EXPECT_EQ(index_->asked, 3U);
}

TEST_F(LookupTest, ASlowSourceDoesNotHoldUpAStepThatCanStart) {
  const Edge slow = source("slow", std::chrono::milliseconds(2000));
  const Edge after_slow = world_.join({slow});
  const Edge quick = world_.join({source("quick")});
  const Edge last = world_.join({after_slow, quick});
  const auto start = std::chrono::system_clock::now();
  const auto result = world_.solve({last});
  ASSERT_TRUE(result);
  EXPECT_LT(result->vertices[quick.vertex].finished - start, std::chrono::milliseconds(1500));
}

TEST_F(LookupTest, AStepThatComesOutAsBeforeEndsTheRebuild) {
  const Edge input = source("input");
  const Edge generate = step([](const std::string&) { return "generated"; }, input);
  const Edge use = step([](const std::string& text) { return text + " used"; }, generate);
  ASSERT_TRUE(world_.solve({use}));
  world_.op(input).does_.run = [](const auto&) { return Result<std::string>("other input"); };
  const auto result = world_.solve({use});
  ASSERT_TRUE(result);
  EXPECT_FALSE(is_cached(*result, generate));
  EXPECT_TRUE(is_cached(*result, use));
}

TEST_F(LookupTest, WithoutEarlyCutoffAllThatStandsOnItRuns) {
  const Edge input = source("input");
  const Edge generate = step([](const std::string&) { return "generated"; }, input);
  const Edge use = step([](const std::string& text) { return text + " used"; }, generate);
  const Edge copy =
      world_.add({.definition = "copy",
                  .rule = InputRule::Selected,
                  .run = [](const auto& texts) { return Result<std::string>(texts[0]); }},
                 {generate});
  const Edge both = world_.join({use, copy});
  world_.options.early_cutoff = false;
  ASSERT_TRUE(world_.solve({both}));
  world_.op(input).does_.run = [](const auto&) { return Result<std::string>("other input"); };
  const auto result = world_.solve({both});
  ASSERT_TRUE(result);
  EXPECT_FALSE(is_cached(*result, generate));
  EXPECT_FALSE(is_cached(*result, use));
  EXPECT_TRUE(is_cached(*result, copy)) << "what is copied from a stage counts by its content";
  const auto again = world_.solve({both});
  EXPECT_TRUE(is_cached(*again, use)) << "nothing ran, so all is found";
}

/// Knows the builds it is told of.
class Memory final : public KnownBuilds {
 public:
  bool is_known(std::span<const KeyInput> targets) override {
    ++asked;
    last.assign(targets.begin(), targets.end());
    return answer;
  }
  bool answer = false;
  int asked = 0;
  std::vector<KeyInput> last;
};

TEST_F(LookupTest, AKnownBuildRunsNothingAndShowsAllSteps) {
  Memory memory;
  world_.known_builds = &memory;
  const Edge base = source("base");
  const Edge a = world_.join({base});
  const Edge last = world_.join({a});
  ASSERT_TRUE(world_.solve({last}));
  EXPECT_EQ(memory.asked, 1);
  memory.answer = true;
  forget_questions();
  const auto result = world_.solve({last});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->is_known_build);
  EXPECT_TRUE(is_cached(*result, a) && is_cached(*result, last));
  EXPECT_EQ(index_->batches + index_->others, 0U);
  EXPECT_EQ(world_.sink.count<VertexCached>(), 2U);
  EXPECT_EQ(memory.last.at(0).digest, result->vertices[last.vertex].keys.definition.digest);
}

TEST_F(LookupTest, AKnownBuildIsFoundAlsoWhenOneKeyTakesLong) {
  Memory memory;
  world_.known_builds = &memory;
  const Edge context = world_.add({.definition = "context",
                                   .source = true,
                                   .bare_source = true,
                                   .run = [](const auto&) { return Result<std::string>("files"); }},
                                  {});
  const Edge a = world_.join({source("base")});
  const Edge copy =
      world_.add({.definition = "copy",
                  .rule = InputRule::Selected,
                  .run = [](const auto& texts) { return Result<std::string>(texts[0]); },
                  .hashing = std::chrono::milliseconds(500)},
                 {context});
  const Edge last = world_.join({a, copy});
  ASSERT_TRUE(world_.solve({last}));
  EXPECT_EQ(memory.asked, 0) << "a step ran before the key was there";
  memory.answer = true;
  const auto result = world_.solve({last});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->is_known_build);
  EXPECT_TRUE(is_cached(*result, a) && is_cached(*result, copy) && is_cached(*result, last));
  EXPECT_EQ(world_.sink.count<VertexCached>(), 3U);
}

TEST_F(LookupTest, ABuildWithAStepThatMustRunIsNotAskedForAsAWhole) {
  Memory memory;
  memory.answer = true;
  world_.known_builds = &memory;
  ExecOp op;
  op.args = {"forced"};
  op.has_root = false;
  const Edge forced = world_.builder.add(op, {}, oci::host_platform(),
                                         {.name = "forced", .location = {}, .ignore_cache = true});
  world_.ops.push_back(std::make_unique<FakeOp>(FakeOp::Behaviour{
      .definition = "forced", .run = [](const auto&) { return Result<std::string>("x"); }}));
  const Edge last = world_.join({forced});
  const auto result = world_.solve({last});
  ASSERT_TRUE(result);
  EXPECT_EQ(memory.asked, 0);
  EXPECT_FALSE(result->is_known_build);
}

/// Another machine: it has the same definitions, and of a step it gets nothing but bytes.
class Elsewhere final : public Executor {
 public:
  Result<Output> execute(const StepWork& work, const Cancel&) override {
    std::string text = work.definition + "(";
    for (const OutputId& input : work.inputs) {
      const std::lock_guard lock(mutex_);
      text += outputs_.at(input) + ",";
    }
    text += ")";
    const OutputId id{Digest::of("tree " + text)};
    const std::lock_guard lock(mutex_);
    outputs_[id] = text;
    return Output{
        .id = id, .result = std::make_shared<testing_support::TextResult>(text), .body = text};
  }

 private:
  std::mutex mutex_;
  std::map<OutputId, std::string> outputs_;
};

TEST(ExecutorTest, AStepIsAFunctionOfItsDefinitionAndOfWhatItsInputsAre) {
  World world;
  const Edge a = world.join({});
  const Edge b = world.join({a});
  const Edge c = world.join({a, b});
  Elsewhere elsewhere;
  world.executor = &elsewhere;
  const auto result = world.solve({c});
  ASSERT_TRUE(result);
  EXPECT_EQ(text_of(result->vertices[c.vertex].output->result), "2join(0join(),1join(0join(),),)");
  EXPECT_EQ(world.op(c).runs, 0);
  const auto again = world.solve({c});
  EXPECT_TRUE(again->vertices[c.vertex].cached);
}

}  // namespace
}  // namespace mybuild::solver
