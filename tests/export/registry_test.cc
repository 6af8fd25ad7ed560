// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/media_type.h"
#include "tests/export/fake_push.h"
#include "tests/export/fixture.h"

namespace mybuild::exporter {
namespace {

using registry::Delivery;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RegistryExport : public ExportTest {
 protected:
  RegistryExport() {
    deps_->push = &push_;
    spec_.type = OutputType::Registry;
    output_.names = {name("h.io/app:1")};
  }
  static oci::Reference name(const char* text) { return oci::Reference::parse(text).value(); }
  /// A layer that came from outside and was not downloaded.
  oci::Descriptor add_absent_base(const std::string& bytes) {
    snapshotter::Layer base;
    base.diff_id = Digest::of("tar of " + bytes);
    base.blob = oci::Descriptor{
        std::string(oci::kMediaTypeLayerGzip), Digest::of(bytes), bytes.size(), {}, {}};
    BuiltImage& image = output_.images.front();
    image.layers.insert(image.layers.begin(), base);
    image.config.diff_ids.insert(image.config.diff_ids.begin(), base.diff_id);
    return *base.blob;
  }
  oci::Manifest pushed(const Digest& digest) {
    return oci::parse_manifest(push_.documents.at(digest)).value();
  }

  FakePush push_;
  OutputSpec spec_;
};

TEST_F(RegistryExport, BlobsGoUpThenTheManifest) {
  const ExportReport report = run_export(spec_).value();
  EXPECT_THAT(push_.sent, SizeIs(3)) << "two layers and the config";
  EXPECT_EQ(push_.tags.at("h.io/app:1"), report.descriptor->digest);
  EXPECT_EQ(report.names, std::vector<std::string>{"h.io/app:1"});
  EXPECT_TRUE(metadata_->images().value().empty()) << "the local store is left alone";
  EXPECT_THAT(events_.done(), Contains("pushing layers"));
}

TEST_F(RegistryExport, TheSameAgainSendsNothing) {
  ASSERT_TRUE(run_export(spec_));
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.sent, SizeIs(3));
  EXPECT_THAT(push_.puts, SizeIs(1)) << "the tag names it already";
}

TEST_F(RegistryExport, WhatATagOfOursDoesNotHaveIsSentWithoutAQuestion) {
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.unasked, IsEmpty()) << "what the repository has is not known";
  output_.images.front().config.user = "somebody";
  const ExportReport report = run_export(spec_).value();
  EXPECT_THAT(push_.unasked, ElementsAre(report.config)) << "the layers are asked for";
  EXPECT_EQ(push_.tags.at("h.io/app:1"), report.descriptor->digest);
}

TEST_F(RegistryExport, WhatTheRegistryLostIsSentAgain) {
  push_.checks = false;  // not all do, so what the tag names is no proof
  ASSERT_TRUE(run_export(spec_));
  const Digest lost = pushed(push_.tags.at("h.io/app:1")).layers.front().digest;
  for (const char* user : {"somebody", "somebody"}) {  // another manifest, and the same
    push_.repositories["app"].erase(lost);
    output_.images.front().config.user = user;
    ASSERT_TRUE(run_export(spec_));
    EXPECT_TRUE(push_.repositories["app"].contains(lost));
  }
}

TEST_F(RegistryExport, AManifestThatIsRefusedForGoodIsAnError) {
  ASSERT_TRUE(run_export(spec_));
  output_.images.front().config.user = "somebody";
  push_.refuses = true;
  const auto report = run_export(spec_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::InvalidArgument);
}

TEST_F(RegistryExport, AnotherRepositoryOfTheRegistryMounts) {
  ASSERT_TRUE(run_export(spec_));
  output_.names = {name("h.io/other:1")};
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.sent, SizeIs(3));
  output_.names = {name("elsewhere.io/app:1")};
  push_.repositories.clear();
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.sent, SizeIs(6));
}

TEST_F(RegistryExport, NameSaysWhereToElseTheTagsDo) {
  spec_.names = {name("h.io/by-name:1")};
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.puts, SizeIs(1));
  EXPECT_TRUE(push_.tags.contains("h.io/by-name:1"));
  spec_.names.clear();
  output_.names.clear();
  const auto nameless = run_export(spec_);
  ASSERT_FALSE(nameless);
  EXPECT_THAT(nameless.error().message(), HasSubstr("needs a name"));
}

TEST_F(RegistryExport, ABaseOfTheRegistryIsNotFetched) {
  const oci::Descriptor base = add_absent_base("base blob");
  push_.repositories["base"].insert(base.digest);
  ASSERT_TRUE(metadata_->put_blob_source("h.io", "base", {base.digest}));
  deps_->fetch.blobs = []() -> Status { return internal_error("fetched"); };
  const auto report = run_export(spec_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(pushed(report->descriptor->digest).layers[0].digest, base.digest);
  EXPECT_THAT(push_.sent, SizeIs(3));
}

TEST_F(RegistryExport, ABaseFromElsewhereIsFetchedAndSent) {
  const oci::Descriptor base = add_absent_base("base blob");
  deps_->fetch.blobs = [&]() -> Status {
    TRY(content_->put("base blob"));
    return layers_->add_original_blob(output_.images[0].layers[0].diff_id, base);
  };
  const auto report = run_export(spec_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(push_.sent, SizeIs(4));
}

TEST_F(RegistryExport, AnIndexComesAfterItsManifests) {
  output_.images.push_back(make_image({"linux", "riscv64", "", ""}));
  output_.multi_platform = true;
  const ExportReport report = run_export(spec_).value();
  EXPECT_THAT(push_.puts, ElementsAre("", "", "1"));
  EXPECT_THAT(oci::parse_index(push_.documents.at(report.descriptor->digest)).value().manifests,
              SizeIs(2));
}

TEST_F(RegistryExport, ARegistryThatIsAwayIsNoticedBeforeTheWork) {
  push_.away = true;
  const auto report = run_export(spec_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::Unavailable);
  std::size_t blobs = 0;
  ASSERT_TRUE(content_->walk([&](const snapshotter::BlobInfo&) -> Status {
    ++blobs;
    return {};
  }));
  EXPECT_EQ(blobs, 0U) << "no layer was compressed";
}

TEST_F(RegistryExport, ImageWithPushIsStoredAndKnowsWhereItIs) {
  spec_.type = OutputType::Image;
  spec_.push = true;
  const ExportReport report = run_export(spec_).value();
  EXPECT_TRUE(metadata_->find_image_by_name("h.io/app:1").value());
  const auto digests = metadata_->find_repo_digests(*report.config).value();
  ASSERT_THAT(digests, SizeIs(1));
  EXPECT_EQ(digests[0].repository, "h.io/app");
  EXPECT_EQ(digests[0].manifest, report.descriptor->digest);
}

TEST_F(RegistryExport, AnImageFromOutsideKeepsItsDocuments) {
  BuiltImage& image = output_.images.front();
  image.config_document = oci::dump(image.config) + "\n";
  const ExportReport first = run_export(spec_).value();
  EXPECT_EQ(first.config, Digest::of(image.config_document));
  push_.repositories.clear();
  push_.sent.clear();
  const std::string bytes = " " + content_->read(first.descriptor->digest).value();
  ASSERT_TRUE(content_->put(bytes));
  image.manifest = oci::Descriptor{
      std::string(oci::kMediaTypeManifest), Digest::of(bytes), bytes.size(), {}, {}};
  const ExportReport second = run_export(spec_).value();
  EXPECT_EQ(push_.tags.at("h.io/app:1"), Digest::of(bytes));
  EXPECT_THAT(push_.sent, SizeIs(3));
  EXPECT_EQ(second.config, first.config);
}

}  // namespace
}  // namespace mybuild::exporter
