// SPDX-License-Identifier: Apache-2.0
#include "tests/export/fixture.h"

namespace mybuild::exporter {
namespace {

using testing::Contains;
using testing::ElementsAre;

using StoreExport = ExportTest;

TEST_F(StoreExport, TheImageIdIsTheDigestOfItsConfig) {
  const ExportReport report = run_export(OutputSpec{}).value();
  const std::string config = content_->read(*report.config).value();
  EXPECT_EQ(config, oci::dump(output_.images[0].config));
  EXPECT_EQ(*report.config, Digest::of(config));
  EXPECT_FALSE(report.descriptor);
  const auto row = metadata_->find_image_by_name("docker.io/library/hello:v1").value();
  ASSERT_TRUE(row);
  EXPECT_EQ(row->config, *report.config);
  EXPECT_EQ(row->created, kFileTime);
  EXPECT_EQ(row->size, 100010U);
  EXPECT_THAT(events_.done(), Contains("naming to docker.io/library/hello:v1"));
}

TEST_F(StoreExport, NoLayerIsCompressed) {
  ASSERT_TRUE(run_export(OutputSpec{}));
  std::size_t blobs = 0;
  ASSERT_TRUE(content_->walk([&](const snapshotter::BlobInfo&) -> Status {
    ++blobs;
    return {};
  }));
  EXPECT_EQ(blobs, 1U);
}

TEST_F(StoreExport, AnImageWithoutANameIsThereUntagged) {
  output_.names.clear();
  const ExportReport report = run_export(OutputSpec{}).value();
  const auto rows = metadata_->find_images_by_config(*report.config).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "");
}

TEST_F(StoreExport, OfSeveralPlatformsTheOneOfThisMachineGetsTheName) {
  output_.images = {make_image({"linux", "s390x", "", ""}), make_image(oci::host_platform())};
  output_.multi_platform = true;
  const ExportReport report = run_export(OutputSpec{}).value();
  const auto named = metadata_->find_image_by_name("docker.io/library/hello:v1").value();
  ASSERT_TRUE(named);
  EXPECT_EQ(named->config, Digest::of(oci::dump(output_.images[1].config)));
  EXPECT_EQ(report.config, named->config);
  const auto other =
      metadata_->find_images_by_config(Digest::of(oci::dump(output_.images[0].config))).value();
  ASSERT_EQ(other.size(), 1U);
  EXPECT_EQ(other[0].name, "");
}

TEST_F(StoreExport, DockerWithoutADestIsTheStore) {
  OutputSpec spec;
  spec.type = OutputType::Docker;
  ASSERT_TRUE(run_export(spec));
  EXPECT_EQ(metadata_->images().value().size(), 1U);
}

TEST_F(StoreExport, RewrittenTimesAreRefusedAsTreesKeepTheirs) {
  OutputSpec spec;
  spec.rewrite_timestamp = true;
  EXPECT_FALSE(run_export(spec));
  EXPECT_TRUE(metadata_->images().value().empty());
}

TEST_F(StoreExport, CacheOnlyKeepsNoImage) {
  OutputSpec spec;
  spec.type = OutputType::CacheOnly;
  ASSERT_TRUE(run_export(spec));
  EXPECT_TRUE(metadata_->images().value().empty());
}

}  // namespace
}  // namespace mybuild::exporter
