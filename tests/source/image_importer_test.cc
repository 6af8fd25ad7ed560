// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_importer.h"

#include "snapshotter/content/local_store.h"
#include "tests/source/fakes.h"
#include "tests/source/test_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::source {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const solver::VertexId kVertex{Digest::of("vertex")};
const oci::Platform kAmd64{"linux", "amd64", "", ""};
constexpr char kName[] = "docker.io/library/app:latest";

class Import : public testing::Test {
 protected:
  ImageImporter importer() {
    return ImageImporter(
        {registry_, *content_, layers_, metadata_, lanes_, events_, cancel_, clock_});
  }
  Result<PulledImage> pull(const std::string& name) {
    return importer().pull(oci::Reference::parse(name).value(), kAmd64, kVertex);
  }
  TestImage push(const std::vector<std::string>& layers) {
    TestImage image = make_image(layers, "linux/amd64", registry_.blobs);
    registry_.tags[kName] = image.descriptor.digest;
    return image;
  }
  std::size_t layer_requests() {
    return static_cast<std::size_t>(
        std::count_if(registry_.blob_requests.begin(), registry_.blob_requests.end(),
                      [](const Digest& digest) { return digest == Digest::of("1"); }));
  }

  TempDir dir_ = TempDir::create().value();
  FakeRegistry registry_;
  std::unique_ptr<snapshotter::ContentStore> content_ =
      snapshotter::make_local_content_store(dir_.path() + "/content").value();
  FakeLayerStore layers_;
  FakeMetadata metadata_;
  RecordedEvents events_;
  Cancel cancel_;
  FixedClock clock_{Time{}};
  Lanes lanes_{Lanes::Caps{}};
};

TEST_F(Import, APulledImageIsUnpackedThenNamed) {
  const TestImage image = push({"1", "2"});
  const auto pulled = pull("app");
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(pulled->root, image.descriptor.digest);
  EXPECT_TRUE(pulled->changed);
  EXPECT_THAT(layers_.present, SizeIs(2));
  EXPECT_EQ(metadata_.names.at(kName).config, image.manifest.config.digest);
  EXPECT_EQ(content_->read(image.manifest.config.digest).value(), image.config_text)
      << "its own bytes, so its own id";
  EXPECT_EQ(metadata_.find_blob_source("docker.io", Digest::of("2")).value(), "library/app");
}

TEST_F(Import, TheDigestIsThatOfTheIndex) {
  const TestImage image = make_image({"1"}, "linux/amd64", registry_.blobs);
  const oci::Descriptor index = make_index({image.descriptor}, registry_.blobs);
  registry_.tags[kName] = index.digest;
  const auto pulled = pull("app");
  ASSERT_TRUE(pulled);
  EXPECT_EQ(pulled->root, index.digest);
  EXPECT_EQ(pulled->config, image.manifest.config.digest);
}

TEST_F(Import, APlatformThatWasAskedForIsMeant) {
  push({"1"});
  const auto reference = oci::Reference::parse("app").value();
  const oci::Platform other{"linux", "s390x", "", ""};
  const auto pulled = importer().pull(reference, other, kVertex);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(pulled.error().hint(), testing::HasSubstr("linux/amd64"));
  EXPECT_TRUE(importer().pull(reference, {}, kVertex));
}

TEST_F(Import, TheSameAgainFetchesNoLayerAndSaysSo) {
  push({"1"});
  ASSERT_TRUE(pull("app"));
  const auto again = pull("app");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(layer_requests(), 1U);
}

TEST_F(Import, ABlobThatIsGoneIsFetchedThoughTheLayerIsUnpacked) {
  push({"1", "2"});
  ASSERT_TRUE(pull("app"));
  ASSERT_TRUE(content_->remove(Digest::of("2")));
  ASSERT_TRUE(pull("app"));
  EXPECT_TRUE(content_->stat(Digest::of("2")).value());
  EXPECT_EQ(layer_requests(), 1U) << "the other one was there";
}

TEST_F(Import, ADigestThatIsHereIsNotAskedFor) {
  const TestImage image = push({"1"});
  const std::string exact = "app@" + image.descriptor.digest.str();
  ASSERT_TRUE(pull(exact));
  EXPECT_THAT(metadata_.names, SizeIs(1)) << "without a tag";
  registry_.down = true;
  EXPECT_TRUE(pull(exact));
}

TEST_F(Import, ALayerThatIsNotWhatItSaysLeavesNoName) {
  const TestImage image = push({"1"});
  registry_.blobs[Digest::of("1")] = "other";
  const auto pulled = pull("app");
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind(), ErrorKind::DataLoss);
  EXPECT_THAT(metadata_.names, IsEmpty());
  registry_.blobs[Digest::of("1")] = "1";
  EXPECT_TRUE(pull("app")) << "nothing bad was kept";
}

TEST_F(Import, EveryImageOfALayoutIsLoaded) {
  Blobs blobs;
  const TestImage one = make_image({"1"}, "linux/amd64", blobs);
  const TestImage two = make_image({"1", "2"}, "linux/amd64", blobs);
  oci::Descriptor named = one.descriptor;
  named.annotations["io.containerd.image.name"] = "docker.io/library/one:v1";
  named.annotations["org.opencontainers.image.ref.name"] = "v1";
  oci::Descriptor again = one.descriptor;
  again.annotations["org.opencontainers.image.ref.name"] = "host.io/one:v2";
  const std::string layout = dir_.path() + "/layout";
  write_layout(layout, {named, again, tagged(two.descriptor, "bare")}, blobs);
  const auto loaded = importer().load(layout, kAmd64, kVertex);
  ASSERT_TRUE(loaded) << loaded.error().message();
  ASSERT_THAT(*loaded, SizeIs(2));
  for (const LoadedImage& image : *loaded) {
    if (image.config == one.manifest.config.digest) {
      EXPECT_THAT(image.names, ElementsAre("docker.io/library/one:v1", "host.io/one:v2"));
    } else {
      EXPECT_THAT(image.names, IsEmpty()) << "a bare tag is no name";
    }
  }
  EXPECT_TRUE(metadata_.names.contains("host.io/one:v2"));
}

}  // namespace
}  // namespace mybuild::source
