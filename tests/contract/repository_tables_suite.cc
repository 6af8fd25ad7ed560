// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/meta_store_suite.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace mybuild::cache_server {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RepositoryTablesContract);

void RepositoryTablesContract::link(const Digest& blob, std::uint64_t size,
                                    const std::string& space) {
  ASSERT_TRUE(tables().link_blob(space, blob, size, now_));
}

Status RepositoryTablesContract::put(const ManifestRow& row, const std::string& tag) {
  TRY(tables().link_blob(row.space, row.digest, row.size, now_));
  return tables().put_manifest(row, tag, now_);
}

std::vector<Digest> RepositoryTablesContract::unlink(Time before, std::uint64_t enough) {
  std::vector<Digest> digests;
  std::uint64_t bytes = 0;
  for (std::size_t links = 1; links > 0 && bytes < enough;) {
    const RepositoryTables::Unlinked unlinked = *tables().unlink_unused(before, enough - bytes);
    links = unlinked.links;
    for (const auto& one : unlinked.free) {
      digests.push_back(one.blob);
      bytes += one.size;
    }
  }
  return digests;
}

std::vector<std::string> RepositoryTablesContract::tags(const std::string& last,
                                                        std::size_t limit) {
  return tables().tags("main/app", last, limit).value();
}

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Names = std::vector<std::string>;
using Digests = std::vector<Digest>;

const Digest kLayer = Digest::of("layer");
const Digest kConfig = Digest::of("config");
constexpr hours kLater(24);  // when no promise of today counts any more

ManifestRow manifest(const std::string& name, Digests blobs = {}) {
  ManifestRow row;
  row.repository = "main/app";
  row.space = "main";
  row.digest = Digest::of(name);
  row.media_type = "application/vnd.oci.image.manifest.v1+json";
  row.size = 7;
  row.blobs = std::move(blobs);
  return row;
}

TEST_P(RepositoryTablesContract, AnEmptyStoreHasNothing) {
  EXPECT_EQ(tables().linked_bytes().value(), 0U);
  EXPECT_FALSE(tables().find_blob({"main", ""}, kLayer, now_)->has_value());
  EXPECT_FALSE(tables().has_blob_anywhere(kLayer, now_).value());
  EXPECT_TRUE(tables().repositories("", 10)->empty());
  EXPECT_EQ(tables().tags("main/app", "", 10).error().kind(), ErrorKind::NotFound);
  EXPECT_TRUE(unlink(now_).empty());
}

// Blobs.

TEST_P(RepositoryTablesContract, ABlobIsOfTheNamespacesThatItWasLinkedTo) {
  link(kLayer);
  link(kLayer);
  reopen();
  EXPECT_EQ(tables().find_blob({"main"}, kLayer, now_).value(), "main");
  EXPECT_FALSE(tables().find_blob({"other", ""}, kLayer, now_)->has_value());
  EXPECT_TRUE(tables().has_blob_anywhere(kLayer, now_).value());
  EXPECT_TRUE(tables().is_linked(kLayer).value());
}

TEST_P(RepositoryTablesContract, TheFirstNamespaceThatHasItIsNamed) {
  link(kLayer, 100, "parent");
  EXPECT_EQ(tables().find_blob({"child", "parent"}, kLayer, now_).value(), "parent");
  link(kLayer, 100, "child");
  EXPECT_EQ(tables().find_blob({"child", "parent"}, kLayer, now_).value(), "child");
}

TEST_P(RepositoryTablesContract, BytesCountOnceHoweverOftenTheyAreLinked) {
  link(kLayer, 100, "main");
  link(kLayer, 100, "other");
  link(kLayer, 100, "other");
  link(kConfig, 11);
  EXPECT_EQ(tables().linked_bytes().value(), 111U);
  EXPECT_TRUE(tables().unlink_blob("main", kLayer).value());
  EXPECT_EQ(tables().linked_bytes().value(), 111U);
  EXPECT_TRUE(tables().unlink_blob("other", kLayer).value());
  reopen();
  EXPECT_EQ(tables().linked_bytes().value(), 11U);
  EXPECT_FALSE(tables().is_linked(kLayer).value());
}

TEST_P(RepositoryTablesContract, WhatIsNotLinkedCannotBeUnlinked) {
  link(kLayer, 100, "other");
  EXPECT_FALSE(tables().unlink_blob("main", kLayer).value());
  EXPECT_TRUE(tables().is_linked(kLayer).value());
}

TEST_P(RepositoryTablesContract, UnusedBlobsGoOldestFirstUntilItIsEnough) {
  for (const int age : {3, 1, 2}) {
    const Digest blob = Digest::of(std::to_string(age));
    ASSERT_TRUE(tables().link_blob("main", blob, 10, now_ - hours(10 * age)));
  }
  EXPECT_EQ(unlink(now_, 11), (Digests{Digest::of("3"), Digest::of("2")}));
  EXPECT_EQ(unlink(now_ - hours(11)), Digests{}) << "the last is younger";
  EXPECT_EQ(unlink(now_), Digests{Digest::of("1")});
  EXPECT_EQ(tables().linked_bytes().value(), 0U);
}

TEST_P(RepositoryTablesContract, MoreUnusedBlobsThanOneLookSeesGoAfterEachOther) {
  for (int i = 0; i < 600; ++i) {
    link(Digest::of(std::to_string(i)), 1);
  }
  EXPECT_EQ(unlink(now_ + kLater).size(), 600U);
}

TEST_P(RepositoryTablesContract, ABlobIsFreeWhenItsLastNamespaceLetItGo) {
  ASSERT_TRUE(tables().link_blob("old", kLayer, 10, now_ - kLater));
  ASSERT_TRUE(tables().link_blob("new", kLayer, 10, now_));
  EXPECT_EQ(unlink(now_), Digests{});
  EXPECT_FALSE(tables().find_blob({"old"}, kLayer, now_)->has_value());
  EXPECT_TRUE(tables().is_linked(kLayer).value());
  EXPECT_EQ(unlink(now_ + kLater), Digests{kLayer});
}

TEST_P(RepositoryTablesContract, ManyWhoLinkAtOnceAllHaveTheirLink) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 20; ++i) {
        const Digest blob = Digest::of(std::to_string(thread) + "/" + std::to_string(i));
        EXPECT_TRUE(tables().link_blob("main", blob, 1, now_));
        EXPECT_TRUE(tables().is_linked(blob).value());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(tables().linked_bytes().value(), 160U);
}

TEST_P(RepositoryTablesContract, WhoFoundABlobHasTimeToNameIt) {
  ASSERT_TRUE(tables().link_blob("main", kLayer, 10, now_ - kLater));
  ASSERT_TRUE(tables().find_blob({"main"}, kLayer, now_)->has_value());
  EXPECT_EQ(unlink(now_), Digests{});
  EXPECT_EQ(unlink(now_ + minutes(1)), Digests{kLayer});
}

TEST_P(RepositoryTablesContract, EveryFindGivesThatTimeAnew) {
  link(kLayer);
  for (int i = 1; i < 20; ++i) {
    const Time time = now_ + minutes(4) * i;
    ASSERT_TRUE(tables().has_blob_anywhere(kLayer, time).value());
    const Time end = time + RepositoryTables::kTimeToName;
    EXPECT_EQ(unlink(end - RepositoryTables::kInUse), Digests{}) << i;
  }
}

TEST_P(RepositoryTablesContract, WhoOnlyReadsABlobDoesNotUseIt) {
  link(kLayer);
  const Time later = now_ + kLater;
  EXPECT_TRUE(tables().has_blob({"other", "main"}, kLayer).value());
  EXPECT_FALSE(tables().has_blob({"other"}, kLayer).value());
  EXPECT_EQ(unlink(later), Digests{kLayer});
  EXPECT_FALSE(tables().has_blob({"main"}, kLayer).value());
}

// Manifests.

TEST_P(RepositoryTablesContract, AManifestIsFoundAsItWasPut) {
  link(kLayer);
  link(kConfig);
  ManifestRow row = manifest("m", {kConfig, kLayer});
  row.subject = Digest::of("subject");
  row.artifact_type = "application/x.sbom";
  row.annotations = {{"a", "1"}, {"b\"", "zwei ü"}};
  ASSERT_TRUE(put(row, "v1"));
  reopen();
  const auto found = tables().find_manifest("main/app", row.digest).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->repository, "main/app");
  EXPECT_EQ(found->space, "main");
  EXPECT_EQ(found->digest, row.digest);
  EXPECT_EQ(found->media_type, row.media_type);
  EXPECT_EQ(found->size, 7U);
  EXPECT_EQ(found->subject, row.subject);
  EXPECT_EQ(found->artifact_type, row.artifact_type);
  EXPECT_EQ(found->annotations, row.annotations);
  std::sort(row.blobs.begin(), row.blobs.end());
  EXPECT_EQ(found->blobs, row.blobs);
  EXPECT_EQ(tables().find_tag("main/app", "v1").value(), row.digest);
  EXPECT_FALSE(tables().find_manifest("main/other", row.digest)->has_value());
}

TEST_P(RepositoryTablesContract, AManifestWithoutOneOfItsBlobsIsRefusedByItsName) {
  link(kLayer);
  link(kConfig, 10, "other");
  const Status refused = put(manifest("m", {kLayer, kConfig}), "v1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::NotFound);
  EXPECT_NE(refused.error().message().find(kConfig.str()), std::string::npos);
  EXPECT_FALSE(tables().find_manifest("main/app", Digest::of("m"))->has_value());
  EXPECT_FALSE(tables().find_tag("main/app", "v1")->has_value());
}

TEST_P(RepositoryTablesContract, AManifestWithoutItsOwnBytesIsRefused) {
  EXPECT_EQ(tables().put_manifest(manifest("m"), "", now_).error().kind(), ErrorKind::NotFound);
}

TEST_P(RepositoryTablesContract, AnIndexNeedsItsManifestsInTheSameRepository) {
  ManifestRow index = manifest("index");
  index.manifests = {Digest::of("m")};
  ManifestRow elsewhere = manifest("m");
  elsewhere.repository = "main/elsewhere";
  ASSERT_TRUE(put(elsewhere));
  EXPECT_EQ(put(index).error().kind(), ErrorKind::NotFound);
  ASSERT_TRUE(put(manifest("m")));
  EXPECT_TRUE(put(index));
  EXPECT_EQ(tables().find_manifest("main/app", index.digest).value()->manifests, index.manifests);
}

TEST_P(RepositoryTablesContract, PuttingAManifestAgainOnlyMovesTheTag) {
  link(kLayer);
  ASSERT_TRUE(put(manifest("a", {kLayer}), "latest"));
  ASSERT_TRUE(put(manifest("b", {kLayer}), "latest"));
  ASSERT_TRUE(put(manifest("a", {kLayer}), "latest"));
  EXPECT_EQ(tables().find_tag("main/app", "latest").value(), Digest::of("a"));
  EXPECT_TRUE(tables().remove_manifest("main/app", Digest::of("a")).value());
  EXPECT_TRUE(tables().remove_manifest("main/app", Digest::of("b")).value());
  EXPECT_TRUE(tables().unlink_blob("main", kLayer).value()) << "counted as often as it was needed";
}

TEST_P(RepositoryTablesContract, WhatAManifestNeedsStays) {
  link(kLayer);
  ASSERT_TRUE(put(manifest("m", {kLayer, kLayer})));
  EXPECT_EQ(tables().unlink_blob("main", kLayer).error().kind(), ErrorKind::Denied);
  EXPECT_EQ(tables().unlink_blob("main", Digest::of("m")).error().kind(), ErrorKind::Denied)
      << "its own bytes";
  EXPECT_EQ(unlink(now_ + kLater), Digests{});
  ASSERT_TRUE(tables().remove_manifest("main/app", Digest::of("m")).value());
  EXPECT_EQ(unlink(now_ + kLater).size(), 2U);
}

TEST_P(RepositoryTablesContract, AManifestOfTwoRepositoriesNeedsItsBlobsUntilBothLetItGo) {
  link(kLayer);
  ManifestRow second = manifest("m", {kLayer});
  second.repository = "main/second";
  ASSERT_TRUE(put(manifest("m", {kLayer})));
  ASSERT_TRUE(put(second));
  ASSERT_TRUE(tables().remove_manifest("main/app", second.digest).value());
  EXPECT_EQ(tables().unlink_blob("main", kLayer).error().kind(), ErrorKind::Denied);
  ASSERT_TRUE(tables().remove_manifest("main/second", second.digest).value());
  EXPECT_TRUE(tables().unlink_blob("main", kLayer).value());
}

TEST_P(RepositoryTablesContract, ARemovedManifestTakesItsTagsAlong) {
  ASSERT_TRUE(put(manifest("m"), "v1"));
  ASSERT_TRUE(put(manifest("m"), "v2"));
  ASSERT_TRUE(put(manifest("n"), "v3"));
  ASSERT_TRUE(tables().remove_manifest("main/app", Digest::of("m")).value());
  EXPECT_FALSE(tables().remove_manifest("main/app", Digest::of("m")).value());
  EXPECT_EQ(tags(), Names{"v3"});
}

TEST_P(RepositoryTablesContract, AManifestOfAnIndexStaysUntilTheIndexGoes) {
  ManifestRow index = manifest("index");
  index.manifests = {Digest::of("m")};
  ASSERT_TRUE(put(manifest("m"), "v1"));
  ASSERT_TRUE(put(index));
  EXPECT_EQ(tables().remove_manifest("main/app", Digest::of("m")).error().kind(),
            ErrorKind::Denied);
  EXPECT_EQ(tags(), Names{"v1"}) << "nothing of it happened";
  ASSERT_TRUE(tables().remove_manifest("main/app", index.digest).value());
  EXPECT_TRUE(tables().remove_manifest("main/app", Digest::of("m")).value());
}

TEST_P(RepositoryTablesContract, ALostBlobIsNeededAgainAsSoonAsItIsBack) {
  link(kLayer);
  link(kLayer, 100, "other");
  ASSERT_TRUE(put(manifest("m", {kLayer})));
  ASSERT_TRUE(tables().forget_blob(kLayer));
  EXPECT_FALSE(tables().has_blob_anywhere(kLayer, now_).value());
  EXPECT_EQ(tables().linked_bytes().value(), 7U);
  EXPECT_EQ(put(manifest("n", {kLayer})).error().kind(), ErrorKind::NotFound);
  link(kLayer);
  EXPECT_EQ(tables().unlink_blob("main", kLayer).error().kind(), ErrorKind::Denied);
  ASSERT_TRUE(tables().remove_manifest("main/app", Digest::of("m")).value());
  EXPECT_TRUE(tables().unlink_blob("main", kLayer).value());
}

// Tags, repositories, referrers.

TEST_P(RepositoryTablesContract, TagsAreListedInLexicalOrderPageByPage) {
  for (const char* tag : {"b", "C", "a", "A", "10", "_x"}) {
    ASSERT_TRUE(put(manifest("m"), tag));
  }
  EXPECT_EQ(tags(), (Names{"10", "_x", "A", "a", "b", "C"}));
  EXPECT_EQ(tags("", 2), (Names{"10", "_x"}));
  EXPECT_EQ(tags("_x", 2), (Names{"A", "a"}));
  EXPECT_EQ(tags("a", 2), (Names{"b", "C"}));
  EXPECT_EQ(tags("B"), (Names{"b", "C"})) << "after a tag that isn't there";
  EXPECT_EQ(tags("C"), Names{});
  EXPECT_EQ(tags("", 0), Names{});
}

TEST_P(RepositoryTablesContract, ATagIsRemovedAndItsManifestStays) {
  ASSERT_TRUE(put(manifest("m"), "v1"));
  EXPECT_TRUE(tables().remove_tag("main/app", "v1").value());
  EXPECT_FALSE(tables().remove_tag("main/app", "v1").value());
  EXPECT_EQ(tags(), Names{}) << "the repository is still there";
  EXPECT_TRUE(tables().find_manifest("main/app", Digest::of("m"))->has_value());
}

TEST_P(RepositoryTablesContract, RepositoriesAreThoseThatHoldAManifest) {
  for (const char* name : {"b", "a/x", "c"}) {
    for (const char* content : {"m", "n"}) {
      ManifestRow row = manifest(content);
      row.repository = name;
      ASSERT_TRUE(put(row));
    }
  }
  EXPECT_EQ(tables().repositories("", 10).value(), (Names{"a/x", "b", "c"}));
  EXPECT_EQ(tables().repositories("", 2).value(), (Names{"a/x", "b"}));
  EXPECT_EQ(tables().repositories("b", 2).value(), Names{"c"});
  for (const char* content : {"m", "n"}) {
    ASSERT_TRUE(tables().remove_manifest("b", Digest::of(content)).value());
  }
  EXPECT_EQ(tables().repositories("", 10).value(), (Names{"a/x", "c"}));
}

TEST_P(RepositoryTablesContract, ReferrersAreThoseOfOneSubjectInOneRepository) {
  const Digest subject = Digest::of("subject that is not there");
  const auto put_referrer = [&](const std::string& name, const std::string& type,
                                const std::string& repository) {
    ManifestRow row = manifest(name);
    row.repository = repository;
    row.subject = subject;
    row.artifact_type = type;
    row.annotations = {{"name", name}};
    ASSERT_TRUE(put(row));
  };
  put_referrer("sbom", "application/x.sbom", "main/app");
  put_referrer("signature", "application/x.signature", "main/app");
  put_referrer("elsewhere", "application/x.sbom", "main/elsewhere");
  ASSERT_TRUE(put(manifest("no referrer")));

  const auto all = tables().referrers("main/app", subject, "", Digest(), 10).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_LT(all[0].digest, all[1].digest);
  EXPECT_EQ(tables().referrers("main/app", subject, "", Digest(), 1)->size(), 1U);
  EXPECT_EQ(tables().referrers("main/app", subject, "", all[0].digest, 10)->front().digest,
            all[1].digest);
  const auto sboms =
      tables().referrers("main/app", subject, "application/x.sbom", Digest(), 10).value();
  ASSERT_EQ(sboms.size(), 1U);
  EXPECT_EQ(sboms[0].annotations.at("name"), "sbom");
  EXPECT_TRUE(tables().referrers("main/app", Digest::of("m"), "", Digest(), 10)->empty());
}

}  // namespace
}  // namespace mybuild::cache_server
