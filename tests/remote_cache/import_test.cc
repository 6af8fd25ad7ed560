// SPDX-License-Identifier: Apache-2.0
// What a build asks imported caches, and what it may do with their layers.
#include "builder/ops/trees.h"
#include "builder/remote_cache/imported_cache.h"
#include "builder/remote_cache/session_index.h"
#include "snapshotter/base/json.h"
#include "solver/key.h"
#include "solver/memory_index.h"
#include "tests/source/fakes.h"
#include "tests/support/memory_content_store.h"

#include <gtest/gtest.h>

#include <future>

namespace mybuild::remote_cache {
namespace {

using source::descriptor_of;
using source::FakeLayerStore;
using source::FakeMetadata;
using source::FakeRegistry;
using source::RecordedEvents;

class ImportTest : public ::testing::Test {
 protected:
  /// A cache with one step: definition "step NAME", layer NAME.
  CacheDocument document(const std::string& name) {
    CacheDocument document;
    CachedLayer& layer = document.layers.emplace_back();
    layer.place = CachedLayer::Place{.diff_id = Digest::of(name),
                                     .blob = descriptor_of(oci::kMediaTypeLayer, name)};
    layer.changes = Digest::of("changes of " + name);
    document.records.push_back({.definition = {Digest::of("step " + name)},
                                .content = {Digest::of("content " + name)},
                                .inputs = {},
                                .layer = 0});
    registry_.blobs[Digest::of(name)] = name;
    return document;
  }
  CacheSource publish(const std::string& reference, const CacheDocument& document) {
    const std::string config = dump(document);
    const std::string manifest = dump_manifest(document, descriptor_of(kConfigType, config));
    registry_.blobs[Digest::of(config)] = config;
    registry_.blobs[Digest::of(manifest)] = manifest;
    CacheSource source;
    source.ref = oci::Reference::parse(reference).value();
    registry_.tags[source.ref.str()] = Digest::of(manifest);
    return source;
  }
  ImportedCache& import(std::vector<CacheSource> sources, std::set<std::size_t> bad = {}) {
    imported_ = std::make_unique<ImportedCache>(
        std::move(sources), std::vector<oci::Platform>{oci::host_platform()}, std::move(bad),
        ImportedCache::Deps{.registry = registry_,
                            .metadata = metadata_,
                            .lanes = lanes_,
                            .events = events_,
                            .clock = clock_,
                            .cancel = cancel_,
                            .downloads = cancel_});
    layers_of_caches_ = std::make_unique<source::RemoteLayers>(source::RemoteLayers::Deps{
        .fetch = {.content = *content_,
                  .layers = layers_,
                  .lanes = lanes_,
                  .events = events_,
                  .cancel = cancel_,
                  .clock = clock_},
        .metadata = metadata_,
        .where = [this](const Digest& diff_id) { return imported_->where(diff_id); },
        .on_bad = [this](std::size_t cache,
                         const Error& why) { imported_->distrust(cache, why); }});
    return *imported_;
  }
  std::vector<snapshotter::Layer> found(const std::string& name) {
    snapshotter::Layer claimed;
    claimed.diff_id = Digest::of(name);
    claimed.changes = Digest::of("changes of " + name);
    const auto layer = layers_of_caches_->find(claimed, {.id = {}, .name = "step " + name});
    if (!layer || !*layer) {
      return {};
    }
    return {**layer};
  }
  static solver::DefinitionKey key(const std::string& name) { return {Digest::of("step " + name)}; }

  FakeRegistry registry_;
  FakeLayerStore layers_;
  FakeMetadata metadata_;
  std::unique_ptr<snapshotter::ContentStore> content_ = snapshotter::make_memory_content_store();
  RecordedEvents events_;
  SystemClock clock_;
  Cancel cancel_;
  Lanes lanes_{{}};
  std::unique_ptr<ImportedCache> imported_;
  std::unique_ptr<source::RemoteLayers> layers_of_caches_;
};

TEST_F(ImportTest, RecordsAreFoundByBothKeysAndNoLayerIsFetched) {
  ImportedCache& cache = import({publish("r.test/a:1", document("one"))});
  const auto records = cache.find(key("one"));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_TRUE(records[0].is_imported);
  EXPECT_TRUE(records[0].output.digest.is_zero());
  const auto step = ops::parse_body(records[0].body);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->layer.diff_id, Digest::of("one"));
  EXPECT_EQ(cache.find(solver::ContentKey{Digest::of("content one")}).size(), 1U);
  EXPECT_TRUE(cache.find(key("two")).empty());
  EXPECT_EQ(registry_.blob_requests.size(), 1U);  // the document
}

TEST_F(ImportTest, ARecordKeepsItsOwnTime) {
  CacheDocument timed = document("one");
  timed.records[0].created = Time(std::chrono::seconds(1'600'000'000));
  const auto records = import({publish("r.test/a:1", timed)}).find(key("one"));
  ASSERT_EQ(records.size(), 1U);
  const auto step = ops::parse_body(records[0].body);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->created, *timed.records[0].created);
}

TEST_F(ImportTest, ASourceThatIsNotThereIsAWarning) {
  CacheSource none;
  none.ref = oci::Reference::parse("r.test/none:1").value();
  ImportedCache& cache = import({none, publish("r.test/a:1", document("one"))});
  EXPECT_TRUE(cache.find(key("what no source has")).empty());
  EXPECT_EQ(cache.find(key("one")).size(), 1U);
  const auto warnings = events_.all<solver::Warning>();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(warnings[0].message.starts_with("importing cache manifest from r.test/none:1: "));
}

TEST_F(ImportTest, TheSourceThatWasNamedFirstComesFirst) {
  CacheDocument other = document("other");
  other.records[0].definition = key("one");
  ImportedCache& cache =
      import({publish("r.test/b:1", other), publish("r.test/a:1", document("one"))});
  EXPECT_TRUE(cache.find(key("what no source has")).empty());  // all have come now
  const auto records = cache.find(key("one"));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_NE(records[0].body.find(Digest::of("other").str()), std::string::npos);
}

TEST_F(ImportTest, ASlowSourceHoldsUpNoStepThatAnotherOneHas) {
  std::promise<void> release;
  const CacheSource slow = publish("r.test/slow:1", document("slow"));
  registry_.on_blob = [&, config = Digest::of(dump(document("slow"))),
                       released = release.get_future().share()](const oci::Descriptor& blob) {
    if (blob.digest == config) {
      released.wait();
    }
    return Status();
  };
  ImportedCache& cache = import({slow, publish("r.test/a:1", document("one"))});
  EXPECT_EQ(cache.find(key("one")).size(), 1U);
  EXPECT_TRUE(cache.where(Digest::of("one")));
  release.set_value();
  EXPECT_EQ(cache.find(key("slow")).size(), 1U);
}

TEST_F(ImportTest, ACancelledBuildWaitsForNoImport) {
  registry_.down = true;
  cancel_.request(Error(ErrorKind::Cancelled, "enough"));
  EXPECT_TRUE(import({publish("r.test/a:1", document("one"))}).find(key("one")).empty());
  EXPECT_TRUE(events_.all<solver::Warning>().empty());
}

TEST_F(ImportTest, TheIndexAsksCachesLastAndNeverByOutput) {
  ImportedCache& cache = import({publish("r.test/a:1", document("one"))});
  const auto store = solver::make_memory_index();
  std::vector<solver::CacheRecord> heard;
  SessionIndex index(*store, {&cache}, [&](const auto& record) { heard.push_back(record); });
  const solver::DefinitionKey one = key("one");
  EXPECT_TRUE(index.find_all(std::span(&one, 1))->front().empty());
  EXPECT_EQ(index.find_late(one)->size(), 1U);
  EXPECT_TRUE(index.find(solver::OutputId{})->empty());
  const solver::CacheRecord own{.definition = {},
                                .content = {Digest::of("content one")},
                                .inputs = {},
                                .output = {Digest::of("o")},
                                .body = {}};
  ASSERT_TRUE(index.add(own));
  EXPECT_EQ(heard.size(), 1U);
  const auto both = index.find(solver::ContentKey{Digest::of("content one")});
  ASSERT_EQ(both->size(), 2U);
  EXPECT_FALSE(both->front().is_imported);
}

TEST_F(ImportTest, WhatTheStoreHasOnSomebodysWordHoldsInItsDomain) {
  const auto store = solver::make_memory_index();
  const Digest branch = Digest::of("server, team/pr-1");
  const solver::DefinitionKey one = key("one");
  ASSERT_TRUE(store->add({.definition = vouched_key(branch, one),
                          .content = {},
                          .inputs = {},
                          .output = {Digest::of("o")},
                          .body = "body"}));
  SessionIndex same(*store, {}, {}, branch);
  const auto found = same.find_all(std::span(&one, 1));
  ASSERT_EQ(found->front().size(), 1U);
  EXPECT_EQ(found->front().front().definition, one) << "as it was asked for";
  SessionIndex main(*store, {}, {}, Digest::of("server, team/main"));
  EXPECT_TRUE(main.find_all(std::span(&one, 1))->front().empty());
  SessionIndex none(*store, {}, {});  // without a server
  EXPECT_TRUE(none.find_all(std::span(&one, 1))->front().empty());
}

TEST_F(ImportTest, ALayerIsFetchedWhenItsFilesAreNeededAndOnceOnly) {
  import({publish("r.test/a:1", document("one"))});
  const auto layers = found("one");
  ASSERT_EQ(layers.size(), 1U);
  ASSERT_TRUE(layers[0].blob);
  EXPECT_TRUE(layers_.unpacked.empty());
  ASSERT_TRUE(layers_of_caches_->fetch_trees(layers));
  ASSERT_TRUE(layers_of_caches_->fetch_trees(layers));
  EXPECT_EQ(layers_.unpacked.size(), 1U);
  EXPECT_TRUE(layers_.originals.empty()) << "it is no layer of a base image";
  EXPECT_TRUE(imported_->distrusted().empty());
}

TEST_F(ImportTest, ALayerThatIsHereIsUsedAsItIs) {
  import({publish("r.test/a:1", document("one"))});
  metadata_.known_layers[Digest::of("one")] = {
      .diff_id = Digest::of("one"), .changes = Digest::of("changes of one"), .size = 9};
  layers_.present.insert(Digest::of("one"));
  const auto layers = found("one");
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_FALSE(layers[0].blob);
  EXPECT_EQ(layers[0].size, 9U);
}

TEST_F(ImportTest, ALayerThatIsKnownAsSomethingElseIsNoHit) {
  import({publish("r.test/a:1", document("one"))});
  metadata_.known_layers[Digest::of("one")] = {
      .diff_id = Digest::of("one"), .changes = Digest::of("others"), .size = 9};
  EXPECT_TRUE(found("one").empty());
}

TEST_F(ImportTest, ACacheThatLiesOfALayerIsNotAskedAgain) {
  import({publish("r.test/a:1", document("one")), publish("r.test/b:1", document("two"))});
  layers_.real_changes[Digest::of("one")] = Digest::of("others");
  const auto layers = found("one");
  EXPECT_FALSE(layers_of_caches_->fetch_trees(layers));
  EXPECT_EQ(imported_->distrusted(), std::set<std::size_t>{0});
  EXPECT_TRUE(imported_->find(key("one")).empty());
  EXPECT_FALSE(imported_->where(Digest::of("one")));
  EXPECT_EQ(imported_->find(key("two")).size(), 1U);
  EXPECT_EQ(events_.all<solver::Warning>().size(), 1U);
  int given_up = 0;
  for (const solver::VertexDone& done : events_.all<solver::VertexDone>()) {
    given_up += done.error ? 1 : 0;
    EXPECT_TRUE(!done.error || done.error->kind() == ErrorKind::Cancelled) << "the build goes on";
  }
  EXPECT_EQ(given_up, 1);
}

TEST_F(ImportTest, SoIsOneWithoutTheBytes) {
  const CacheSource source = publish("r.test/a:1", document("one"));
  registry_.blobs.erase(Digest::of("one"));
  import({source});
  EXPECT_FALSE(layers_of_caches_->fetch_trees(found("one")));
  EXPECT_EQ(imported_->distrusted(), std::set<std::size_t>{0});
  import({source}, {0});
  EXPECT_TRUE(imported_->find(key("one")).empty());
}

TEST_F(ImportTest, WhoNeedsALayerThatIsOnlyNamedLosesTheNamesAndNothingElse) {
  CacheDocument both = document("one");
  both.layers.push_back(document("two").layers[0]);
  both.records.push_back(document("two").records[0]);
  both.records[1].layer = 1;
  both.layers[0].place->blob = no_blob(Digest::of("one"));
  const CacheSource source = publish("r.test/a:1", both);
  import({source});
  const auto named = found("one");
  ASSERT_EQ(named.size(), 1U) << "what stands on it can be found";
  EXPECT_FALSE(layers_of_caches_->fetch_trees(named));
  EXPECT_FALSE(layers_of_caches_->fetch_blobs(named));
  EXPECT_EQ(imported_->distrusted(), std::set<std::size_t>{1}) << "beyond the only source";
  EXPECT_TRUE(events_.all<solver::Warning>().empty());
  import({source}, {1});
  EXPECT_TRUE(imported_->find(key("one")).empty());
  EXPECT_EQ(imported_->find(key("two")).size(), 1U);
}

TEST_F(ImportTest, BlobsAreFetchedForWhoExportsThem) {
  import({publish("r.test/a:1", document("one"))});
  const auto layers = found("one");
  ASSERT_TRUE(layers_of_caches_->fetch_blobs(layers));
  EXPECT_TRUE(layers_.unpacked.empty());
  EXPECT_TRUE(*content_->stat(Digest::of("one")));
}

TEST_F(ImportTest, AnImageCarriesItsOwnCache) {
  source::Blobs blobs;
  source::TestImage image = source::make_image({"base", "one"}, "linux/amd64", blobs);
  CacheDocument inside = document("one");
  inside.layers[0].place.reset();
  inside.layers[0].image_layer = 1;
  image.config.unknown_top = fmt::format("{{\"{}\":{}}}", kInlineField, dump(inside));
  const std::string config = oci::dump(image.config);
  image.manifest.config = descriptor_of(oci::kMediaTypeConfig, config);
  const std::string manifest = oci::dump(image.manifest);
  blobs[Digest::of(config)] = config;
  blobs[Digest::of(manifest)] = manifest;
  registry_.blobs = blobs;
  registry_.tags["r.test/image:1"] = Digest::of(manifest);
  CacheSource source;
  source.ref = oci::Reference::parse("r.test/image:1").value();
  ImportedCache& cache = import({source});
  EXPECT_EQ(cache.find(key("one")).size(), 1U);
  ASSERT_TRUE(cache.where(Digest::of("one")));
  EXPECT_EQ(cache.where(Digest::of("one"))->blob.digest, Digest::of("one"));
  EXPECT_FALSE(cache.where(Digest::of("base")));
}

}  // namespace
}  // namespace mybuild::remote_cache
