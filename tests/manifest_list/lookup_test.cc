// SPDX-License-Identifier: Apache-2.0
// Looking images up, and pushing a list of them, with registries in memory.
#include "builder/manifest_list/lookup.h"

#include "builder/manifest_list/push.h"
#include "snapshotter/oci/docker_index.h"
#include "snapshotter/oci/media_type.h"
#include "tests/export/fake_push.h"
#include "tests/export/fixture.h"

#include <atomic>

namespace mybuild::manifest_list {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Documents and blobs by digest, and tags.
class FakeRegistry final : public registry::RegistryClient {
 public:
  Result<registry::ManifestDocument> manifest(const oci::Reference& reference,
                                              const Cancel&) override {
    const auto tag = tags.find(reference.repository + ":" + reference.tag);
    const Digest digest = reference.digest    ? *reference.digest
                          : tag == tags.end() ? Digest()
                                              : tag->second;
    if (!bytes.contains(digest)) {
      return not_found("{} is not in the registry", reference.familiar());
    }
    const std::string type = TRY(oci::document_media_type(bytes.at(digest)));
    return registry::ManifestDocument{digest, type, bytes.at(digest)};
  }
  Status blob(const oci::Reference&, const oci::Descriptor& blob, Sink& sink,
              const Cancel&) override {
    ++blobs;
    return bytes.contains(blob.digest) ? sink.write(as_bytes(bytes.at(blob.digest)))
                                       : Status(not_found("no blob"));
  }
  oci::Descriptor put(const std::string& text, std::string_view type) {
    bytes[Digest::of(text)] = text;
    oci::Descriptor descriptor;
    descriptor.media_type = type;
    descriptor.digest = Digest::of(text);
    descriptor.size = text.size();
    return descriptor;
  }
  oci::Descriptor put_image(const std::string& tag, const std::string& architecture) {
    oci::Manifest manifest;
    manifest.media_type = oci::kMediaTypeManifest;
    manifest.config = put(R"({"os":"linux","architecture":")" + architecture +
                              R"(","rootfs":{"type":"layers","diff_ids":[]}})",
                          oci::kMediaTypeConfig);
    manifest.layers = {put("layer of " + architecture, oci::kMediaTypeLayer)};
    const oci::Descriptor made = put(dump(manifest), oci::kMediaTypeManifest);
    tags[tag] = made.digest;
    return made;
  }

  std::map<std::string, Digest> tags;
  std::map<Digest, std::string> bytes;
  std::atomic<int> blobs = 0;
};

class ManifestLists : public exporter::ExportTest {
 protected:
  ManifestLists() { deps_->push = &push_; }
  static oci::Reference name(const char* text) { return oci::Reference::parse(text).value(); }
  RegistryAccess access() { return {.registry = registry_, .lanes = lanes_, .cancel = cancel_}; }
  ManifestList list_of(const char* called, const std::vector<const char*>& images) {
    ManifestList list{.name = name(called), .images = {}};
    for (const char* image : images) {
      put_image(list, look_up_image(name(image), access()).value());
    }
    return list;
  }
  Result<PushedList> push(const ManifestList& list) {
    return push_list(list, {.deps = *deps_, .registry = registry_, .claims = nullptr},
                     solver::internal_vertex("push"));
  }

  FakeRegistry registry_;
  exporter::FakePush push_;
};

TEST_F(ManifestLists, AnImagesConfigSaysItsPlatform) {
  const oci::Descriptor made = registry_.put_image("a:1", "arm64");
  const ListedImage image = look_up_image(name("h.io/a:1"), access()).value();
  EXPECT_EQ(image.descriptor.digest, made.digest);
  EXPECT_EQ(to_string(*image.descriptor.platform), "linux/arm64");
  EXPECT_EQ(look_up_image(name("h.io/b:1"), access()).error().kind(), ErrorKind::NotFound);
  registry_.put_image("w:1", R"(amd64","os.features":["win32k"],"os.version":"10)");
  const oci::Platform windows = *look_up_image(name("h.io/w:1"), access())->descriptor.platform;
  EXPECT_EQ(windows.os_version, "10");
  EXPECT_THAT(windows.os_features, ElementsAre("win32k"));
}

TEST_F(ManifestLists, AnIndexIsNoImageOfAList) {
  oci::Index index{
      .media_type = std::string(oci::kMediaTypeIndex), .manifests = {}, .annotations = {}};
  index.manifests = {registry_.put_image("a:1", "arm64"), registry_.put_image("b:1", "amd64")};
  index.manifests[1].platform = oci::Platform{"linux", "riscv64", "", ""};
  registry_.tags["both:1"] = registry_.put(dump(index), index.media_type).digest;
  const auto refused = look_up_image(name("h.io/both:1"), access());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("h.io/both:1 is a manifest list"));

  EXPECT_TRUE(look_up(name("h.io/both:1"), false, access())->images.empty());
  const Found found = look_up(name("h.io/both:1"), true, access()).value();
  ASSERT_EQ(found.images.size(), 2U);
  EXPECT_EQ(to_string(*found.images[0].descriptor.platform), "linux/arm64") << "of its config";
  EXPECT_EQ(to_string(*found.images[1].descriptor.platform), "linux/riscv64") << "of the index";
  EXPECT_EQ(found.images[0].name.str(), "h.io/both:1@" + index.manifests[0].digest.str());
}

TEST_F(ManifestLists, IndexesInIndexesAndOtherDocumentsAreRefused) {
  oci::Index index{
      .media_type = std::string(oci::kMediaTypeIndex), .manifests = {}, .annotations = {}};
  registry_.tags["empty:1"] = registry_.put(dump(index), index.media_type).digest;
  index.manifests = {registry_.put(dump(index), index.media_type)};
  registry_.tags["nested:1"] = registry_.put(dump(index), index.media_type).digest;
  EXPECT_THAT(look_up(name("h.io/nested:1"), true, access()).error().message(),
              HasSubstr("is a manifest list, not an image"));
  EXPECT_TRUE(look_up(name("h.io/empty:1"), true, access())->images.empty());
  registry_.tags["odd:1"] = registry_.put(R"({"schemaVersion":2,"mediaType":"a/b"})", "a/b").digest;
  EXPECT_THAT(look_up_image(name("h.io/odd:1"), access()).error().message(), HasSubstr("a/b"));
  registry_.put_image("chart:1", "amd64\"}, \"x\": {\"y\":\"");
  EXPECT_FALSE(look_up_image(name("h.io/chart:1"), access()).has_value());
}

TEST_F(ManifestLists, BlobsOfTheSameRegistryAreMounted) {
  for (const char* architecture : {"amd64", "arm64"}) {
    const oci::Descriptor made =
        registry_.put_image(std::string(architecture) + ":1", architecture);
    const oci::Manifest manifest = oci::parse_manifest(registry_.bytes.at(made.digest)).value();
    push_.repositories[architecture] = {manifest.config.digest, manifest.layers[0].digest};
  }
  const ManifestList list = list_of("h.io/app:1", {"h.io/arm64:1", "h.io/amd64:1"});
  registry_.blobs = 0;
  const PushedList pushed = push(list).value();
  EXPECT_EQ(registry_.blobs, 0);
  EXPECT_TRUE(push_.sent.empty());
  EXPECT_EQ(push_.repositories.at("app").size(), 4U);
  EXPECT_EQ(push_.tags.at("h.io/app:1"), pushed.digest);
  EXPECT_THAT(pushed.brought,
              ElementsAre(list.images[0].descriptor.digest, list.images[1].descriptor.digest));
  EXPECT_EQ(push_.documents.at(pushed.digest), oci::dump_as_docker(index_of(list)));
  EXPECT_TRUE(push_.documents.contains(list.images[0].descriptor.digest));
}

TEST_F(ManifestLists, BlobsOfAnotherRegistryComeThroughTheStore) {
  registry_.put_image("a:1", "amd64");
  ASSERT_TRUE(push(list_of("elsewhere.io/app:1", {"h.io/a:1"})));
  EXPECT_EQ(push_.sent.size(), 2U);
  EXPECT_EQ(registry_.blobs, 3) << "the config is looked at by create";
}

TEST_F(ManifestLists, ImagesOfTheRepositoryItselfStayWhereTheyAre) {
  registry_.put_image("app:amd64", "amd64");
  const PushedList pushed = push(list_of("h.io/app:1", {"h.io/app:amd64"})).value();
  EXPECT_TRUE(pushed.brought.empty());
  EXPECT_THAT(push_.puts, ElementsAre("1"));
}

TEST_F(ManifestLists, ABlobThatIsGoneFailsBeforeTheTag) {
  const oci::Descriptor made = registry_.put_image("a:1", "amd64");
  const ManifestList list = list_of("h.io/app:1", {"h.io/a:1"});
  registry_.bytes.erase(oci::parse_manifest(registry_.bytes.at(made.digest))->layers[0].digest);
  EXPECT_FALSE(push(list).has_value());
  EXPECT_TRUE(push_.puts.empty());
}

}  // namespace
}  // namespace mybuild::manifest_list
