// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/document.h"

#include "builder/remote_cache/exported_steps.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <gtest/gtest.h>

namespace mybuild::remote_cache {
namespace {

CachedLayer layer(const std::string& name) {
  CachedLayer made;
  made.place = CachedLayer::Place{.diff_id = Digest::of(name),
                                  .blob = {.media_type = std::string(oci::kMediaTypeLayerGzip),
                                           .digest = Digest::of("blob of " + name),
                                           .size = 10,
                                           .platform = {},
                                           .annotations = {}}};
  made.changes = Digest::of("changes of " + name);
  made.size = 3;
  made.created = Time(std::chrono::seconds(1'700'000'000));
  return made;
}

CacheDocument example() {
  CacheDocument document;
  document.layers = {layer("one"), layer("two")};
  document.records = {
      {.definition = {Digest::of("d1")}, .content = {Digest::of("c1")}, .inputs = {}, .layer = 1},
      {.definition = {Digest::of("d2")},
       .content = {},
       .inputs = {{Digest::of("i1")}, {Digest()}},
       .layer = 0}};
  return document;
}

TEST(CacheDocument, IsReadAsItWasWritten) {
  const auto read = parse_cache_document(dump(example()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, example());
}

/// Other machines read this: a change needs another version.
TEST(CacheDocument, HasTheseBytes) {
  CacheDocument document = example();
  document.layers.pop_back();
  document.records.erase(document.records.begin());
  document.records[0].inputs.resize(1);
  EXPECT_EQ(
      dump(document),
      fmt::format(
          R"({{"layers":[{{"blob":{{"digest":"{}","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",)"
          R"("size":10}},"changes":"{}","created":"2023-11-14T22:13:20Z","diff_id":"{}","size":3}}],)"
          R"("records":[{{"definition":"{}","inputs":["{}"],"layer":0}}],"version":1}})",
          Digest::of("blob of one").str(), Digest::of("changes of one").str(),
          Digest::of("one").str(), Digest::of("d2").str(), Digest::of("i1").str()));
}

TEST(CacheDocument, ARecordSaysItsTimeWhereItIsNotTheLayers) {
  CacheDocument document = example();
  document.records[0].created = Time(std::chrono::seconds(1'600'000'000));
  const std::string text = dump(document);
  EXPECT_NE(text.find(R"("created":"2020-09-13T12:26:40Z","definition")"), std::string::npos);
  const auto read = parse_cache_document(text);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, document);
}

TEST(CacheDocument, AnInlineOneNamesLayersByTheirNumber) {
  CacheDocument document = example();
  document.layers[0].place.reset();
  document.layers[0].image_layer = 4;
  const auto read = parse_cache_document(dump(document));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, document);
}

TEST(CacheDocument, ALayerMayBeNamedOnly) {
  CacheDocument document = example();
  document.layers[0].place->blob = no_blob(document.layers[0].place->diff_id);
  const auto read = parse_cache_document(dump(document));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, document);
  EXPECT_EQ(dump(document).find("no-blob"), std::string::npos);
  EXPECT_EQ(oci::parse_manifest(dump_manifest(document, {.media_type = std::string(kConfigType),
                                                         .digest = Digest::of("config"),
                                                         .size = 5,
                                                         .platform = {},
                                                         .annotations = {}}))
                ->layers.size(),
            1U);
}

TEST(CacheDocument, ItsManifestNamesEachBlobOnce) {
  CacheDocument document = example();
  document.layers.push_back(document.layers.front());
  const oci::Descriptor config{.media_type = std::string(kConfigType),
                               .digest = Digest::of("config"),
                               .size = 5,
                               .platform = {},
                               .annotations = {}};
  const auto manifest = oci::parse_manifest(dump_manifest(document, config));
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->config, config);
  ASSERT_EQ(manifest->layers.size(), 2U);
  EXPECT_EQ(manifest->layers[1], document.layers[1].place->blob);
}

/// What somebody may put in the place of one value.
struct Lie {
  const char* path;
  Json value;
};

TEST(CacheDocument, WhatCannotBeIsRefusedAsAWhole) {
  const Lie lies[] = {{"/version", 2},
                      {"/version", "1"},
                      {"/layers", 3},
                      {"/layers/0/changes", "sha256:00"},
                      {"/layers/0/changes", nullptr},
                      {"/layers/0/created", "yesterday"},
                      {"/layers/0/size", -1},
                      {"/layers/0/size", 1.5},
                      {"/layers/0/blob", Json::array()},
                      {"/layers/0/blob/mediaType", "application/vnd.mybuild.cache.no-blob"},
                      {"/layers/0/blob/size", -5},
                      {"/layers/0/blob/digest", "sha512:00"},
                      {"/layers/0/diff_id", "../../etc"},
                      {"/records/0/layer", 2},
                      {"/records/0/layer", -1},
                      {"/records/0/definition", ""},
                      {"/records/0/content", "x"},
                      {"/records/0/created", "yesterday"},
                      {"/records/1/inputs", "x"},
                      {"/records/1/inputs/0", 7}};
  for (const Lie& lie : lies) {
    Json json = *parse_json(dump(example()));
    json[Json::json_pointer(lie.path)] = lie.value;
    const auto read = parse_cache_document(canonical_dump(json));
    EXPECT_FALSE(read) << lie.path << " = " << lie.value;
  }
}

TEST(CacheDocument, WhatWouldTakeTooMuchIsNotEvenParsed) {
  EXPECT_FALSE(parse_cache_document(std::string(kMaxDocumentBytes + 1, ' ')));
  EXPECT_FALSE(parse_cache_document("{\"version\":1,\"layers\":" + std::string(100, '[')));
  std::string many = "{\"version\":1,\"records\":[0";
  for (int i = 0; i < 5'000'000; ++i) {
    many += ",0";
  }
  EXPECT_FALSE(parse_cache_document(many + "]}"));
  EXPECT_FALSE(parse_cache_document(""));
  EXPECT_FALSE(parse_cache_document("\"\\"));
}

ExportedStep step(const std::string& name, const std::string& layer) {
  ExportedStep made;
  made.record.definition.digest = Digest::of(name);
  made.layer.diff_id = Digest::of(layer);
  made.layer.changes = Digest::of("changes of " + layer);
  return made;
}

TEST(ExportedSteps, TwoStepsMayHaveOneLayer) {
  const std::vector<ExportedStep> steps = {step("a", "one"), step("b", "two"), step("c", "one")};
  ASSERT_EQ(layers_of(steps).size(), 2U);
  const CacheDocument document = make_document(steps, std::vector<oci::Descriptor>(2));
  EXPECT_EQ(document.records[0].layer, document.records[2].layer);
  EXPECT_EQ(document.layers[document.records[1].layer].changes, Digest::of("changes of two"));
}

TEST(ExportedSteps, OfStepsOutsideTheImageOnlyTheRecordsAreExported) {
  std::vector<snapshotter::Layer> image(1);
  image[0].diff_id = Digest::of("two");
  const auto steps = with_layers_in({step("a", "one"), step("b", "two")}, image);
  ASSERT_EQ(steps.size(), 2U);
  ASSERT_TRUE(steps[0].layer.blob);
  EXPECT_TRUE(is_no_blob(*steps[0].layer.blob));
  EXPECT_FALSE(steps[1].layer.blob);
  // Where somebody else has the layer, it is taken from him.
  ASSERT_EQ(layers_of({steps[0], step("c", "one")}).size(), 1U);
  EXPECT_FALSE(layers_of({steps[0], step("c", "one")})[0].blob);
}

TEST(ExportedSteps, TwoStepsOfOneLayerKeepTheirTimes) {
  std::vector<ExportedStep> steps = {step("a", "one"), step("b", "one")};
  steps[0].created = Time(std::chrono::seconds(1));
  steps[1].created = Time(std::chrono::seconds(2));
  const CacheDocument document = make_document(steps, std::vector<oci::Descriptor>(1));
  const Time of_layer = document.layers[0].created;
  EXPECT_EQ(document.records[0].created.value_or(of_layer), steps[0].created);
  EXPECT_EQ(document.records[1].created.value_or(of_layer), steps[1].created);
}

TEST(ExportedSteps, AnInlineCacheHasTheStepsOfItsImage) {
  std::vector<snapshotter::Layer> image(3);
  image[0].diff_id = Digest::of("base");
  image[1].diff_id = Digest::of("two");
  image[2].diff_id = Digest::of("one");
  const std::string text =
      inline_cache({step("a", "one"), step("b", "else"), step("c", "two")}, image);
  const Json json = *parse_json(text);
  const auto read = parse_cache_document(canonical_dump(json[std::string(kInlineField)]));
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->records.size(), 3U);
  EXPECT_EQ(read->layers[read->records[0].layer].image_layer, 2U);
  ASSERT_TRUE(read->layers[read->records[1].layer].place);
  EXPECT_TRUE(is_no_blob(read->layers[read->records[1].layer].place->blob));
  EXPECT_EQ(read->layers[read->records[2].layer].image_layer, 1U);
  EXPECT_EQ(inline_cache({}, image), "");
  EXPECT_EQ(inline_cache({step("b", "else")}, image), "");
}

}  // namespace
}  // namespace mybuild::remote_cache
