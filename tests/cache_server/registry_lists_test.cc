// SPDX-License-Identifier: Apache-2.0
// Distribution spec 1.1: end-8a, end-8b (tags), end-12a, end-12b (referrers), and _catalog.
#include "snapshotter/base/json.h"
#include "tests/cache_server/registry_fixture.h"

#include <fmt/core.h>

namespace mybuild::cache_server {
namespace {

using Names = std::vector<std::string>;

class RegistryLists : public RegistryFixture {
 protected:
  RegistryLists() { push_blob("{}"); }
  Json json(const std::string& target) {
    const Reply reply = ask("GET", target);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return parse_json(reply.body).value();
  }
  Names tags(const std::string& query = "") {
    return json("/v2/team/main/app/tags/list" + query)["tags"].get<Names>();
  }
  std::string link_of(const std::string& target) {
    const Reply reply = ask("GET", target);
    return reply.headers.count("Link") != 0 ? reply.headers.at("Link") : "";
  }
  /// All items, page by page, as a client follows the links.
  std::vector<Json> pages(std::string target, const std::string& field) {
    std::vector<Json> all;
    for (int page = 0; !target.empty() && page < 100; ++page) {
      const Json items = json(target)[field];
      all.insert(all.end(), items.begin(), items.end());
      const std::string link = link_of(target);
      target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    }
    return all;
  }
  std::string put_referrer(const std::string& type, const std::string& subject,
                           const std::string& note = "x") {
    const std::string text =
        image({}, fmt::format(R"(,"artifactType":"{}","annotations":{{"note":"{}"}},)"
                              R"("subject":{{"mediaType":"application/x","digest":"{}","size":1}})",
                              type, note, subject));
    EXPECT_EQ(put_manifest(Digest::of(text).str(), text).status, 201);
    return Digest::of(text).str();
  }
  const std::string subject_ = Digest::of("subject").str();
  const std::string referrers_ = "/v2/team/main/app/referrers/" + subject_;
};

TEST_F(RegistryLists, TagsAreListedInLexicalOrder) {
  for (const char* tag : {"b", "A", "10"}) {
    ASSERT_EQ(put_manifest(tag, image({})).status, 201);
  }
  EXPECT_EQ(json("/v2/team/main/app/tags/list")["name"], "team/main/app");
  EXPECT_EQ(tags(), (Names{"10", "A", "b"}));
}

TEST_F(RegistryLists, TagsComeInPages) {
  for (const char* tag : {"a", "b", "c", "d", "e"}) {
    ASSERT_EQ(put_manifest(tag, image({})).status, 201);
  }
  EXPECT_EQ(tags("?n=2"), (Names{"a", "b"}));
  EXPECT_EQ(link_of("/v2/team/main/app/tags/list?n=2"),
            "</v2/team/main/app/tags/list?n=2&last=b>; rel=\"next\"");
  EXPECT_EQ(tags("?n=2&last=b"), (Names{"c", "d"}));
  EXPECT_EQ(tags("?last=d"), Names{"e"});
  EXPECT_EQ(link_of("/v2/team/main/app/tags/list?n=5"), "") << "there is no more";
  EXPECT_EQ(pages("/v2/team/main/app/tags/list?n=2", "tags").size(), 5U);
  EXPECT_EQ(tags("?n=0"), Names{});
  EXPECT_EQ(link_of("/v2/team/main/app/tags/list?n=0"), "");
}

TEST_F(RegistryLists, APageHasANumberOfItems) {
  for (const char* n : {"-1", "x", "1x", "", "99999999999999999999999", "1.5"}) {
    const Reply reply = ask("GET", fmt::format("/v2/team/main/app/tags/list?n={}", n));
    EXPECT_EQ(reply.status, 400) << n;
    EXPECT_EQ(reply.code, "PAGINATION_NUMBER_INVALID") << n;
  }
  EXPECT_EQ(ask("GET", "/v2/_catalog?n=x").status, 400);
}

TEST_F(RegistryLists, ARepositoryThatHoldsNothingIsUnknown) {
  const Reply reply = ask("GET", "/v2/team/main/app/tags/list");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.code, "NAME_UNKNOWN");
}

TEST_F(RegistryLists, TheCatalogHasWhatOneMayRead) {
  be("*");
  for (const char* name : {"team/main/app", "team/pr-12/app", "other/app", "busybox"}) {
    push_blob("{}", name);
    ASSERT_EQ(put_manifest("v1", image({}), "", name).status, 201);
  }
  const auto catalog = [&] { return json("/v2/_catalog")["repositories"].get<Names>(); };
  EXPECT_EQ(catalog(), (Names{"busybox", "other/app", "team/main/app", "team/pr-12/app"}));
  be("team/main");
  EXPECT_EQ(catalog(), (Names{"busybox", "team/main/app"}));
  be("team/pr-12");
  EXPECT_EQ(catalog(), (Names{"busybox", "team/main/app", "team/pr-12/app"}));
  EXPECT_EQ(pages("/v2/_catalog?n=1", "repositories").size(), 3U);
  EXPECT_EQ(json("/v2/_catalog?n=0")["repositories"].size(), 0U);
}

TEST_F(RegistryLists, WhatRefersToNothingKnownIsAnEmptyIndex) {
  const Reply reply = ask("GET", referrers_);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("Content-Type"), "application/vnd.oci.image.index.v1+json");
  EXPECT_EQ(reply.headers.count("OCI-Filters-Applied"), 0U);
  const Json index = parse_json(reply.body).value();
  EXPECT_EQ(index["schemaVersion"], 2);
  EXPECT_EQ(index["mediaType"], "application/vnd.oci.image.index.v1+json");
  EXPECT_EQ(index["manifests"], Json::array());
}

TEST_F(RegistryLists, ReferrersAreDescribed) {
  const std::string digest = put_referrer("application/x.sbom", subject_, "of x");
  const Json item = json(referrers_)["manifests"][0];
  EXPECT_EQ(item["digest"], digest);
  EXPECT_EQ(item["mediaType"], "application/vnd.oci.image.manifest.v1+json");
  EXPECT_GT(item["size"], 100);
  EXPECT_EQ(item["artifactType"], "application/x.sbom");
  EXPECT_EQ(item["annotations"]["note"], "of x");
}

TEST_F(RegistryLists, AReferrerWithoutAnArtifactTypeHasThatOfItsConfig) {
  const std::string text =
      image({}, fmt::format(R"(,"subject":{{"mediaType":"application/x","digest":"{}","size":1}})",
                            subject_));
  ASSERT_EQ(put_manifest("v1", text).status, 201);
  EXPECT_EQ(json(referrers_)["manifests"][0]["artifactType"],
            "application/vnd.oci.image.config.v1+json");
}

TEST_F(RegistryLists, ReferrersAreFilteredByType) {
  put_referrer("application/x.sbom", subject_);
  put_referrer("application/x.signature", subject_);
  EXPECT_EQ(json(referrers_)["manifests"].size(), 2U);
  const Reply reply = ask("GET", referrers_ + "?artifactType=application/x.sbom");
  EXPECT_EQ(reply.headers.at("OCI-Filters-Applied"), "artifactType");
  const Json index = parse_json(reply.body).value();
  ASSERT_EQ(index["manifests"].size(), 1U);
  EXPECT_EQ(index["manifests"][0]["artifactType"], "application/x.sbom");
}

TEST_F(RegistryLists, AnIndexMayReferToo) {
  const std::string text =
      fmt::format(R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
                  R"("artifactType":"application/x.set","manifests":[],)"
                  R"("subject":{{"mediaType":"application/x","digest":"{}","size":1}}}})",
                  subject_);
  ASSERT_EQ(put_manifest("v1", text, "application/vnd.oci.image.index.v1+json").status, 201);
  EXPECT_EQ(json(referrers_)["manifests"][0]["artifactType"], "application/x.set");
}

TEST_F(RegistryLists, ADeletedReferrerRefersNoMore) {
  const std::string digest = put_referrer("application/x.sbom", subject_);
  ASSERT_EQ(ask("DELETE", "/v2/team/main/app/manifests/" + digest).status, 202);
  EXPECT_EQ(json(referrers_)["manifests"].size(), 0U);
}

TEST_F(RegistryLists, ManyReferrersComeInPages) {
  const std::string note(700'000, 'n');
  for (int i = 0; i < 4; ++i) {
    put_referrer("application/x+y", subject_, note + std::to_string(i));
  }
  for (int i = 0; i < 20; ++i) {
    put_referrer("application/x+y", subject_, std::to_string(i));
  }
  const Reply first = ask("GET", referrers_);
  EXPECT_GT(first.size, 2U << 20);
  EXPECT_LT(first.size, 4U << 20);
  EXPECT_EQ(first.headers.count("Link"), 1U);
  EXPECT_EQ(pages(referrers_, "manifests").size(), 24U);
}

TEST_F(RegistryLists, TheNextPageOfReferrersIsFilteredToo) {
  const std::string note(2'100'000, 'n');
  put_referrer("application/x+y", subject_, note);
  put_referrer("application/x+y", subject_, note + "2");
  const std::string link = link_of(referrers_ + "?artifactType=application/x+y");
  EXPECT_NE(link.find("&artifactType=application/x%2By>"), std::string::npos) << link;
}

TEST_F(RegistryLists, ReferrersAreAskedForByDigest) {
  EXPECT_EQ(ask("GET", "/v2/team/main/app/referrers/v1").code, "DIGEST_INVALID");
  EXPECT_EQ(ask("GET", referrers_ + "?last=x").code, "DIGEST_INVALID");
}

}  // namespace
}  // namespace mybuild::cache_server
