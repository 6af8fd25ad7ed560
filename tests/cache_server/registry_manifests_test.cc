// SPDX-License-Identifier: Apache-2.0
// Distribution spec 1.1: end-3 (GET, HEAD), end-7 (PUT), end-9 (DELETE), and what a manifest is.
#include "builder/cache_server/registry/manifest_document.h"
#include "tests/cache_server/registry_fixture.h"

#include <fmt/core.h>

namespace mybuild::cache_server {
namespace {

constexpr const char* kImage = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndex = "application/vnd.oci.image.index.v1+json";
constexpr const char* kDockerImage = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
const std::string kAt = "/v2/team/main/app/manifests/";

class RegistryManifests : public RegistryFixture {
 protected:
  RegistryManifests() {
    push_blob("{}");
    push_blob("layer");
  }
  std::string index_of(const std::string& item, const std::string& more = "") const {
    return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]{}}})", kIndex, item,
                       more);
  }
  std::string docker_image() const {
    return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})",
                       kDockerImage,
                       descriptor("{}", "application/vnd.docker.container.image.v1+json"),
                       descriptor("layer", "application/vnd.docker.image.rootfs.diff.tar.gzip"));
  }
  const std::string image_ = image({"layer"});
  const std::string digest_ = Digest::of(image_).str();
};

TEST_F(RegistryManifests, ArePutAndGotByTagAndByDigest) {
  const Reply put = put_manifest("v1", image_);
  EXPECT_EQ(put.status, 201);
  EXPECT_EQ(put.headers.at("Location"), kAt + digest_);
  EXPECT_EQ(put.headers.at("Docker-Content-Digest"), digest_);
  EXPECT_EQ(put.headers.count("OCI-Subject"), 0U);
  for (const std::string& reference : {std::string("v1"), digest_}) {
    const Reply got = ask("GET", kAt + reference);
    EXPECT_EQ(got.status, 200) << reference;
    EXPECT_EQ(got.body, image_) << "byte for byte";
    EXPECT_EQ(got.headers.at("Content-Type"), kImage);
    EXPECT_EQ(got.headers.at("Docker-Content-Digest"), digest_);
    const Reply head = ask("HEAD", kAt + reference);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.size, image_.size());
    EXPECT_EQ(head.headers.at("Content-Type"), kImage);
  }
}

TEST_F(RegistryManifests, ArePutByDigestWithoutATag) {
  EXPECT_EQ(put_manifest(digest_, image_).status, 201);
  EXPECT_EQ(ask("GET", kAt + digest_).status, 200);
  EXPECT_EQ(ask("GET", "/v2/team/main/app/tags/list").body,
            R"({"name":"team/main/app","tags":[]})");
}

TEST_F(RegistryManifests, HaveTheDigestThatTheAddressSays) {
  const Reply reply = put_manifest(Digest::of("other").str(), image_);
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.code, "DIGEST_INVALID");
  EXPECT_EQ(put_manifest("sha512:" + std::string(128, 'a'), image_).code, "DIGEST_INVALID");
}

TEST_F(RegistryManifests, ThatAreNotThereAreUnknown) {
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    for (const std::string& reference : {std::string("v1"), Digest::of("x").str(),
                                         std::string(".NO_TAG"), std::string(200, 'x')}) {
      const Reply reply = ask(method, kAt + reference);
      EXPECT_EQ(reply.status, 404) << method << " " << reference;
      EXPECT_EQ(reply.code, "MANIFEST_UNKNOWN");
    }
  }
  EXPECT_EQ(ask("GET", kAt + "sha256:12").code, "DIGEST_INVALID");
}

TEST_F(RegistryManifests, HaveTagsOfTheSpecsForm) {
  for (const std::string& tag : {std::string(".x"), std::string("-x"), std::string("a b"),
                                 std::string("ü"), std::string(129, 'x'), std::string("a+b")}) {
    const Reply reply = put_manifest(tag, image_);
    EXPECT_EQ(reply.status, 400) << tag;
    EXPECT_EQ(reply.code, "TAG_INVALID") << tag;
  }
  EXPECT_EQ(put_manifest(std::string(128, 'x'), image_).status, 201);
  EXPECT_EQ(put_manifest("_1.2-3", image_).status, 201);
}

TEST_F(RegistryManifests, NeedTheirBlobs) {
  const Reply reply = put_manifest("v1", image({"layer", "missing"}));
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.code, "MANIFEST_BLOB_UNKNOWN");
  EXPECT_NE(reply.body.find(Digest::of("missing").str()), std::string::npos);
  EXPECT_EQ(ask("GET", kAt + "v1").status, 404);
}

TEST_F(RegistryManifests, NeedTheBlobsOfTheirOwnNamespaceOrItsParents) {
  push_blob("layer of main");
  be("other");
  push_blob("{}", "other/app");
  EXPECT_EQ(put_manifest("v1", image({"layer of main"}), kImage, "other/app").status, 404);
  be("team/pr-12");
  EXPECT_EQ(put_manifest("v1", image({"layer of main"}), kImage, "team/pr-12/app").status, 201);
  EXPECT_TRUE(meta_->repositories()
                  .find_blob({"team/pr-12"}, Digest::of("layer of main"), clock_.now())
                  ->has_value())
      << "it is the child's now, too";
}

TEST_F(RegistryManifests, KeepTheirBlobsHoweverOldTheyGet) {
  ASSERT_EQ(put_manifest("v1", image_).status, 201);
  clock_.advance(std::chrono::hours(10'000));
  EXPECT_EQ(keeper_->collect(clock_.now(), ~std::uint64_t{0})->blobs, 0U);
  EXPECT_EQ(ask("DELETE", kAt + digest_).status, 202);
  EXPECT_EQ(keeper_->collect(clock_.now(), ~std::uint64_t{0})->blobs, 3U);
}

TEST_F(RegistryManifests, OfAnIndexComeFirst) {
  const std::string index = index_of(descriptor(image_, kImage));
  const Reply refused = put_manifest("multi", index, kIndex);
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.code, "MANIFEST_BLOB_UNKNOWN");
  ASSERT_EQ(put_manifest(digest_, image_).status, 201);
  EXPECT_EQ(put_manifest("multi", index, kIndex).status, 201);
  EXPECT_EQ(ask("GET", kAt + "multi").headers.at("Content-Type"), kIndex);
}

TEST_F(RegistryManifests, OfAnIndexAreNotDeletedBeforeIt) {
  ASSERT_EQ(put_manifest(digest_, image_).status, 201);
  const std::string index = index_of(descriptor(image_, kImage));
  ASSERT_EQ(put_manifest("multi", index, kIndex).status, 201);
  const Reply reply = ask("DELETE", kAt + digest_);
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.code, "DENIED");
  EXPECT_EQ(ask("DELETE", kAt + Digest::of(index).str()).status, 202);
  EXPECT_EQ(ask("DELETE", kAt + digest_).status, 202);
}

TEST_F(RegistryManifests, MayBeAnIndexOfBlobsAsBuildKitsCacheIs) {
  const std::string index =
      index_of(descriptor("layer", "application/vnd.oci.image.layer.v1.tar+gzip") + "," +
               descriptor("{}", "application/vnd.buildkit.cacheconfig.v0"));
  EXPECT_EQ(put_manifest("cache", index, kIndex).status, 201);
  EXPECT_EQ(ask("DELETE", "/v2/team/main/app/blobs/" + Digest::of("layer").str()).status, 405);
}

TEST_F(RegistryManifests, MayBeDockers) {
  ASSERT_EQ(put_manifest("v1", docker_image(), kDockerImage).status, 201);
  EXPECT_EQ(ask("GET", kAt + "v1").headers.at("Content-Type"), kDockerImage);
  const std::string list = fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})",
                                       kDockerIndex, descriptor(docker_image(), kDockerImage));
  ASSERT_EQ(put_manifest("multi", list, kDockerIndex).status, 201);
  EXPECT_EQ(ask("GET", kAt + "multi").headers.at("Content-Type"), kDockerIndex);
}

TEST_F(RegistryManifests, OfSchemaOneAreRefusedByName) {
  const std::string old = R"({"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]})";
  for (const char* type :
       {"application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws", kImage, ""}) {
    const Reply reply = put_manifest("v1", old, type);
    EXPECT_EQ(reply.status, 400) << type;
    EXPECT_EQ(reply.code, "MANIFEST_INVALID");
    EXPECT_NE(reply.body.find("schema 1"), std::string::npos) << reply.body;
  }
}

TEST_F(RegistryManifests, AreWhatTheRequestSays) {
  EXPECT_EQ(put_manifest("v1", image_, kIndex).code, "MANIFEST_INVALID");
  EXPECT_EQ(put_manifest("v1", image_, kDockerImage).code, "MANIFEST_INVALID");
  EXPECT_EQ(put_manifest("v1", image_, "text/plain").code, "MANIFEST_INVALID");
  EXPECT_EQ(put_manifest("v1", image_, std::string(kImage) + "; charset=utf-8").status, 201);
  EXPECT_EQ(put_manifest("v1", image_, "").status, 201) << "the document says it itself";
}

TEST_F(RegistryManifests, ThatDoNotSayWhatTheyAreAreWhatTheyLookLike) {
  const std::string silent =
      fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[]}})",
                  descriptor("{}", "application/vnd.oci.image.config.v1+json"));
  EXPECT_EQ(put_manifest("v1", silent, kImage).status, 201);
  EXPECT_EQ(put_manifest("v1", silent, kIndex).code, "MANIFEST_INVALID");
  EXPECT_EQ(read_manifest_document(silent, kDockerImage)->media_type, kDockerImage);
}

TEST_F(RegistryManifests, ThatCouldBeTwoThingsAreRefused) {
  EXPECT_EQ(put_manifest("v1", image({}, R"(,"manifests":[])")).code, "MANIFEST_INVALID");
  EXPECT_EQ(put_manifest("v1", index_of("", R"(,"layers":[])"), kIndex).code, "MANIFEST_INVALID");
  EXPECT_EQ(put_manifest("v1", index_of("", R"(,"config":{})"), kIndex).code, "MANIFEST_INVALID");
}

TEST_F(RegistryManifests, ThatAreNoneAreRefused) {
  const std::string deep = std::string(10'000, '[');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("3"),
        std::string("{}"), std::string("\xff\xfe"), deep, std::string(R"({"schemaVersion":2})"),
        std::string(R"({"schemaVersion":3,"config":{},"layers":[]})"),
        std::string(R"({"schemaVersion":2,"mediaType":7})"),
        image({}, R"(,"subject":{"digest":"sha256:12"})"), image({}, R"(,"subject":[])"),
        image({}, R"(,"annotations":{"a":1})"), image({}, R"(,"artifactType":{})"),
        std::string(R"({"schemaVersion":2,"mediaType":"text/html","config":{},"layers":[]})")}) {
    const Reply reply = put_manifest("v1", text, "");
    EXPECT_EQ(reply.status, 400) << text.substr(0, 100);
    EXPECT_EQ(reply.code, "MANIFEST_INVALID") << text.substr(0, 100);
  }
}

TEST_F(RegistryManifests, WithOtherDigestsThanSha256AreRefusedByName) {
  std::string text = image({"layer"});
  const std::string old = Digest::of("layer").str();
  text.replace(text.find(old), old.size(), "sha512:" + std::string(128, 'a'));
  const Reply reply = put_manifest("v1", text);
  EXPECT_EQ(reply.code, "MANIFEST_INVALID");
  EXPECT_NE(reply.body.find("only sha256"), std::string::npos) << reply.body;
}

TEST_F(RegistryManifests, AreFourMebibytesAtMost) {
  EXPECT_EQ(put_manifest("v1", std::string(kMaxManifestBytes + 1, ' ')).status, 413);
  const std::vector<std::string> pieces(5, std::string(1 << 20, ' '));
  EXPECT_EQ(stream("PUT", kAt + "v1", pieces).status, 413) << "when nobody said how large";
  std::string large = image_;
  large.insert(large.size() - 1, kMaxManifestBytes - large.size(), ' ');
  EXPECT_EQ(put_manifest("v1", large).status, 201);
}

TEST_F(RegistryManifests, MayLeaveForeignLayersWhereTheyAre) {
  const std::string foreign = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{{"mediaType":)"
      R"("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{}","size":4,)"
      R"("urls":[{}]}}]}})",
      kDockerImage, descriptor("{}", "application/vnd.docker.container.image.v1+json"),
      Digest::of("windows").str(), "{}");
  const auto with = [&](const std::string& urls) {
    std::string text = foreign;
    return text.replace(text.rfind("{}"), 2, urls);
  };
  EXPECT_EQ(put_manifest("v1", with(R"("https://x.example/l")"), kDockerImage).status, 201);
  EXPECT_EQ(put_manifest("v2", with(""), kDockerImage).code, "MANIFEST_BLOB_UNKNOWN")
      << "an address is needed";
  const Digest layer = push_blob("windows");
  EXPECT_EQ(put_manifest("v3", with(R"("https://x.example/m")"), kDockerImage).status, 201);
  EXPECT_EQ(ask("DELETE", "/v2/team/main/app/blobs/" + layer.str()).status, 405)
      << "where it was brought, it is kept";
}

TEST_F(RegistryManifests, MayNotHaveOrdinaryLayersElsewhere) {
  std::string text = image({"missing"});
  text.insert(text.rfind("}]"), R"(,"urls":["https://x.example/l"])");
  EXPECT_EQ(put_manifest("v1", text).code, "MANIFEST_BLOB_UNKNOWN");
}

TEST_F(RegistryManifests, WithASubjectSayThatItWasSeen) {
  const std::string subject = Digest::of("a manifest that comes later").str();
  const Reply reply = put_manifest(
      "v1", image({}, fmt::format(R"(,"subject":{{"mediaType":"{}","digest":"{}","size":3}})",
                                  kImage, subject)));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.headers.at("OCI-Subject"), subject);
}

TEST_F(RegistryManifests, AreDeletedByDigestWithAllTheirTags) {
  ASSERT_EQ(put_manifest("v1", image_).status, 201);
  ASSERT_EQ(put_manifest("v2", image_).status, 201);
  EXPECT_EQ(ask("DELETE", kAt + digest_).status, 202);
  EXPECT_EQ(ask("GET", kAt + "v1").status, 404);
  EXPECT_EQ(ask("GET", kAt + "v2").status, 404);
  EXPECT_EQ(ask("GET", kAt + digest_).status, 404);
  EXPECT_EQ(ask("DELETE", kAt + digest_).status, 404);
}

TEST_F(RegistryManifests, LoseATagAndStay) {
  ASSERT_EQ(put_manifest("v1", image_).status, 201);
  ASSERT_EQ(put_manifest("v2", image_).status, 201);
  EXPECT_EQ(ask("DELETE", kAt + "v1").status, 202);
  EXPECT_EQ(ask("GET", kAt + "v1").status, 404);
  EXPECT_EQ(ask("GET", kAt + "v2").status, 200);
  EXPECT_EQ(ask("GET", kAt + digest_).status, 200);
}

TEST_F(RegistryManifests, WhoseBytesAreLostAreUnknownAndCanBePutAgain) {
  ASSERT_EQ(put_manifest("v1", image_).status, 201);
  ASSERT_TRUE(blobs_->remove(Digest::of(image_)));
  EXPECT_EQ(ask("GET", kAt + "v1").code, "MANIFEST_UNKNOWN");
  EXPECT_EQ(put_manifest("v1", image_).status, 201);
  EXPECT_EQ(ask("GET", kAt + "v1").body, image_);
}

TEST_F(RegistryManifests, WhoseLayerIsLostNeedItAgain) {
  ASSERT_EQ(put_manifest("v1", image_).status, 201);
  ASSERT_TRUE(blobs_->remove(Digest::of("layer")));
  EXPECT_EQ(put_manifest("v1", image_).code, "MANIFEST_BLOB_UNKNOWN") << "so the client brings it";
  push_blob("layer");
  EXPECT_EQ(put_manifest("v1", image_).status, 201);
}

TEST_F(RegistryManifests, OfOneRepositoryAreNotThoseOfAnother) {
  ASSERT_EQ(put_manifest("v1", image_).status, 201);
  EXPECT_EQ(ask("GET", "/v2/team/main/second/manifests/v1").status, 404);
  EXPECT_EQ(ask("GET", "/v2/team/main/second/manifests/" + digest_).status, 404);
}

}  // namespace
}  // namespace mybuild::cache_server
