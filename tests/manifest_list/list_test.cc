// SPDX-License-Identifier: Apache-2.0
#include "builder/manifest_list/store.h"
#include "builder/manifest_list/text.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/oci/docker_index.h"
#include "snapshotter/oci/media_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::manifest_list {
namespace {

using testing::HasSubstr;

oci::Reference name(const std::string& text) {
  return oci::Reference::parse(text).value();
}

ListedImage image(const std::string& text, const std::string& architecture) {
  ListedImage image;
  image.name = name(text);
  image.document = R"({"schemaVersion": 2, "of": ")" + architecture + "\"}";
  image.descriptor.media_type = oci::kMediaTypeManifest;
  image.descriptor.digest = Digest::of(image.document);
  image.descriptor.size = image.document.size();
  image.descriptor.platform = oci::Platform{"linux", architecture, "", ""};
  return image;
}

ManifestList two() {
  ManifestList list{.name = name("h.io/app:1"), .images = {}};
  put_image(list, image("h.io/b:1", "arm"));
  put_image(list, image("h.io/a:1", "amd64"));
  return list;
}

class Lists : public testing::Test {
 protected:
  TempDir dir_ = TempDir::create().value();
  ListStore store_{join_path(dir_.path(), "lists")};
};

TEST(List, StandsInDockersOrderAndForm) {
  const ManifestList list = two();
  const std::string digest = list.images[0].descriptor.digest.str();
  EXPECT_THAT(index_text(index_of(list)),
              testing::StartsWith("{\n   \"schemaVersion\": 2,\n"
                                  "   \"mediaType\": \"application/vnd.oci.image.index.v1+json\",\n"
                                  "   \"manifests\": [\n      {\n"
                                  "         \"mediaType\": "
                                  "\"application/vnd.oci.image.manifest.v1+json\",\n"
                                  "         \"size\": 35,\n         \"digest\": \"" +
                                  digest +
                                  "\",\n         \"platform\": {\n"
                                  "            \"architecture\": \"amd64\",\n"
                                  "            \"os\": \"linux\"\n         }\n      },\n"));
}

TEST(List, TheFirstImageSaysWhichFamilyItIs) {
  ManifestList list = two();
  EXPECT_EQ(index_of(list).media_type, oci::kMediaTypeIndex);
  list.images[0].descriptor.media_type = oci::kDockerMediaTypeManifest;
  EXPECT_EQ(index_of(list).media_type, oci::kDockerMediaTypeIndex);
}

TEST(List, AnImageThatIsPutAgainKeepsWhatWasSaidOfIt) {
  ManifestList list = two();
  ASSERT_TRUE(annotate(list, name("h.io/b:1"),
                       {.os = {}, .architecture = {}, .variant = "v7", .os_version = {}}));
  put_image(list, image("h.io/b:1", "arm"));
  EXPECT_EQ(list.images.size(), 2U);
  EXPECT_EQ(to_string(*list.images[1].descriptor.platform), "linux/arm/v7");
  put_image(list, image("h.io/b:1", "arm64"));
  EXPECT_EQ(to_string(*list.images[1].descriptor.platform), "linux/arm64") << "another manifest";
}

TEST(List, FeaturesAreAddedAndKept) {
  ManifestList list = two();
  for (const char* feature : {"b", "a", "b"}) {
    PlatformEdit edit;
    edit.os_features = {feature};
    ASSERT_TRUE(annotate(list, name("h.io/b:1"), edit));
  }
  const ManifestList again = parse_list(dump(list)).value();
  EXPECT_EQ(again.images[1].descriptor.platform->os_features, (std::vector<std::string>{"b", "a"}));
  const oci::Index index = oci::parse_index(oci::dump_as_docker(index_of(again))).value();
  EXPECT_EQ(index.manifests[1], list.images[1].descriptor);
}

TEST(List, WhatIsNoPlatformIsRefused) {
  ManifestList list = two();
  const PlatformEdit edit{.os = {}, .architecture = "arm46", .variant = {}, .os_version = {}};
  const Status refused = annotate(list, name("h.io/a:1"), edit);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("unsupported os/arch combination: linux/arm46"));
  EXPECT_EQ(to_string(*list.images[0].descriptor.platform), "linux/amd64");
  const Status absent = annotate(list, name("h.io/c:1"), {});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message(),
              HasSubstr("manifest for image h.io/c:1 does not exist in h.io/app:1"));
}

TEST(List, IsPushedWhenEachImageHasAPlatform) {
  ManifestList list = two();
  EXPECT_TRUE(check_complete(list));
  list.images[1].descriptor.platform->architecture.clear();
  EXPECT_THAT(check_complete(list).error().message(),
              HasSubstr("h.io/b:1 must have an OS and Architecture"));
  list.images.clear();
  EXPECT_FALSE(check_complete(list));
}

TEST(List, VerboseTextHasNameDescriptorAndDocument) {
  const std::string text = verbose_text(two().images);
  EXPECT_THAT(text,
              testing::StartsWith("[\n\t{\n\t\t\"Ref\": \"h.io/a:1\",\n\t\t\"Descriptor\": {\n"));
  EXPECT_THAT(text, HasSubstr("\t\t\"OCIManifest\": {\n\t\t\t\"schemaVersion\": 2,\n"));
  EXPECT_THAT(text, HasSubstr("\t\t\t\"platform\": {\n"));
}

TEST_F(Lists, AreKeptUntilTheyAreRemoved) {
  EXPECT_EQ(store_.find(name("h.io/app:1")).error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(store_.remove(name("h.io/app:1")).error().kind(), ErrorKind::NotFound);
  ASSERT_TRUE(store_.change(name("h.io/app:1"), [](ManifestList& list) -> Status {
    EXPECT_TRUE(list.images.empty());
    list = two();
    return {};
  }));
  const ManifestList list = store_.find(name("h.io/app:1")).value();
  EXPECT_EQ(dump(list), dump(two()));
  EXPECT_EQ(list.images[0].descriptor, two().images[0].descriptor);
  EXPECT_FALSE(store_.exists(name("h.io/app:2")).value());
  ASSERT_TRUE(store_.remove(name("h.io/app:1")));
  EXPECT_FALSE(store_.exists(name("h.io/app:1")).value());
}

TEST_F(Lists, AFailedChangeLeavesWhatWasThere) {
  ASSERT_TRUE(store_.change(name("h.io/app:1"), [](ManifestList& list) -> Status {
    list = two();
    return {};
  }));
  EXPECT_FALSE(store_.change(name("h.io/app:1"), [](ManifestList& list) -> Status {
    list.images.clear();
    return invalid_argument("no");
  }));
  EXPECT_EQ(store_.find(name("h.io/app:1")).value().images.size(), 2U);
}

TEST_F(Lists, ADamagedOneIsNamedAndCanBeRemoved) {
  ASSERT_TRUE(store_.change(name("h.io/app:1"), [](ManifestList& list) -> Status {
    list = two();
    list.images[0].document += " ";
    return {};
  }));
  const auto damaged = store_.find(name("h.io/app:1"));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().kind(), ErrorKind::DataLoss);
  EXPECT_THAT(damaged.error().message(), HasSubstr("manifest list h.io/app:1"));
  EXPECT_TRUE(store_.remove(name("h.io/app:1")));
}

TEST_F(Lists, MayHaveNamesLongerThanAFileCan) {
  const oci::Reference longest =
      name("h.io/" + std::string(240, 'a') + ":" + std::string(128, 't'));
  ASSERT_TRUE(store_.change(longest, [](ManifestList&) { return Status(); }));
  EXPECT_TRUE(store_.exists(longest).value());
}

}  // namespace
}  // namespace mybuild::manifest_list
