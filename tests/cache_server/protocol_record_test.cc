// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/record.h"
#include "snapshotter/base/json.h"
#include "tests/cache_server/sample.h"

#include <gtest/gtest.h>

#include <functional>

namespace mybuild::cache_server {
namespace {

/// The text of the sample record after a change of its JSON.
std::string changed(const std::function<void(Json&)>& change) {
  Json json = *parse_json(dump(sample_record()));
  change(json);
  return json.dump();
}

std::string why_not(const std::function<void(Json&)>& change) {
  const auto record = parse_step_record(changed(change));
  return record ? "" : record.error().message();
}

TEST(StepRecord, HasTheBytesOfTheDocument) {
  EXPECT_EQ(dump(sample_record()),
            R"({"blob":{"digest":"sha256:)" + Digest::of("blob of layer").hex() +
                R"(","mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","size":10},)" +
                R"("changes":"sha256:)" + Digest::of("changes of layer").hex() +
                R"(","content":"sha256:)" + Digest::of("content of step").hex() +
                R"(","cost_ms":1500,"created":"2023-11-14T22:13:20Z","definition":"sha256:)" +
                Digest::of("definition of step").hex() + R"(","diff_id":"sha256:)" +
                Digest::of("diff of layer").hex() + R"(","inputs":["sha256:)" +
                Digest::of("input of step").hex() + R"("],"output":"sha256:)" +
                Digest::of("output of layer").hex() + R"(","size":42,"step":"RUN step"})");
}

TEST(StepRecord, ComesBackAsItWas) {
  StepRecord record = sample_record();
  record.inputs = {Digest{}, Digest::of("b"), Digest::of("a")};
  record.created = Time::min();
  record.step = "RUN \"quoted\" \n\t \x01 ü";
  const auto again = parse_step_record(dump(record));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, record);
}

TEST(StepRecord, OrderAndSpaceOfTheTextDontMatterAndUnknownFieldsAreIgnored) {
  const std::string text = changed([](Json& json) {
    json["a_later_field"] = {1, 2};
    json["blob"]["urls"] = Json::array();
  });
  EXPECT_EQ(*parse_step_record("\n " + text + " "), sample_record());
}

TEST(StepRecord, WithoutADigestIsNone) {
  for (const char* name : {"definition", "content", "output", "diff_id", "changes", "blob"}) {
    EXPECT_NE(why_not([&](Json& json) { json.erase(name); }), "") << name;
    EXPECT_NE(why_not([&](Json& json) { json[name] = nullptr; }), "") << name;
    EXPECT_NE(why_not([&](Json& json) { json[name] = 7; }), "") << name;
    EXPECT_NE(why_not([&](Json& json) { json[name] = "sha512:" + std::string(128, 'a'); }), "");
  }
}

TEST(StepRecord, OfNothingIsNone) {
  const std::string zero = Digest{}.str();
  for (const char* name : {"definition", "content", "output", "diff_id"}) {
    EXPECT_EQ(why_not([&](Json& json) { json[name] = zero; }),
              std::string(name) + ": expected a digest that is not zero");
  }
  EXPECT_NE(why_not([&](Json& json) { json["blob"]["digest"] = zero; }), "");
  EXPECT_NE(why_not([&](Json& json) { json["blob"]["size"] = 0; }), "");
}

TEST(StepRecord, NumbersHaveLimits) {
  EXPECT_NE(why_not([](Json& json) { json["size"] = -1; }), "");
  EXPECT_NE(why_not([](Json& json) { json["size"] = 1.5; }), "");
  EXPECT_NE(why_not([](Json& json) { json["size"] = std::uint64_t{1} << 63; }), "");
  EXPECT_EQ(why_not([](Json& json) { json["blob"]["size"] = kMaxLayerBytes; }), "");
  EXPECT_NE(why_not([](Json& json) { json["blob"]["size"] = kMaxLayerBytes + 1; }), "");
  EXPECT_EQ(why_not([](Json& json) { json["cost_ms"] = kMaxCostMs; }), "");
  EXPECT_NE(why_not([](Json& json) { json["cost_ms"] = kMaxCostMs + 1; }), "");
}

TEST(StepRecord, ListsAndTextsHaveLimits) {
  const std::vector<std::string> inputs(kMaxInputs, Digest::of("a").str());
  EXPECT_EQ(why_not([&](Json& json) { json["inputs"] = inputs; }), "");
  EXPECT_NE(why_not([&](Json& json) {
              json["inputs"] = inputs;
              json["inputs"].push_back(Digest{}.str());
            }),
            "");
  EXPECT_EQ(why_not([](Json& json) { json["step"] = std::string(kMaxStepName, 'x'); }), "");
  EXPECT_NE(why_not([](Json& json) { json["step"] = std::string(kMaxStepName + 1, 'x'); }), "");
  EXPECT_NE(why_not([](Json& json) { json["more"] = std::string(kMaxRecordBytes, 'x'); }), "");
}

TEST(StepRecord, TheLargestFitsItsLimit) {
  StepRecord record = sample_record();
  record.inputs.assign(kMaxInputs, Digest::of("a"));
  record.step.assign(kMaxStepName, '\x01');
  record.blob.size = kMaxLayerBytes;
  EXPECT_TRUE(parse_step_record(dump(record)));
}

TEST(StepRecord, HoldsALayerAndATime) {
  EXPECT_NE(why_not([](Json& json) { json["blob"]["mediaType"] = "application/json"; }), "");
  EXPECT_NE(why_not([](Json& json) { json["created"] = "yesterday"; }), "");
  EXPECT_NE(why_not([](Json& json) { json.erase("created"); }), "");
}

}  // namespace
}  // namespace mybuild::cache_server
