// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/result_files.h"

#include "snapshotter/base/file.h"
#include "snapshotter/oci/media_type.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

builder::BuildReport report() {
  builder::BuildReport out;
  out.exports.push_back(
      {.descriptor = oci::Descriptor{.media_type = std::string(oci::kMediaTypeManifest),
                                     .digest = Digest::of("m"),
                                     .size = 7,
                                     .platform = std::nullopt,
                                     .annotations = {}},
       .config = Digest::of("c"),
       .names = {"docker.io/library/a:1", "docker.io/library/b:1"}});
  out.exports.push_back(
      {.descriptor = std::nullopt, .config = std::nullopt, .names = {"docker.io/library/a:1"}});
  out.image_id = Digest::of("c");
  return out;
}

TEST(ResultFiles, MetadataHasBuildxsKeys) {
  const auto text = metadata_json(report());
  ASSERT_TRUE(text);
  const auto json = nlohmann::json::parse(*text);
  EXPECT_EQ(json["containerimage.digest"], Digest::of("m").str());
  EXPECT_EQ(json["containerimage.config.digest"], Digest::of("c").str());
  EXPECT_EQ(json["containerimage.descriptor"]["size"], 7);
  EXPECT_EQ(json["containerimage.descriptor"]["mediaType"], oci::kMediaTypeManifest);
  EXPECT_EQ(json["image.name"], "docker.io/library/a:1,docker.io/library/b:1");
}

TEST(ResultFiles, AnImageWithoutManifestGivesItsId) {
  builder::BuildReport bare;
  bare.image_id = Digest::of("c");
  const auto json = nlohmann::json::parse(*metadata_json(bare));
  EXPECT_EQ(json.size(), 2U);
  EXPECT_EQ(json["containerimage.config.digest"], Digest::of("c").str());
  EXPECT_EQ(json["containerimage.digest"], Digest::of("c").str());
}

TEST(ResultFiles, TheIdIsTheConfigsElseTheIndexs) {
  EXPECT_EQ(image_id(report()), Digest::of("c").str());
  builder::BuildReport index = report();
  index.image_id.reset();
  index.exports[0].config.reset();
  EXPECT_EQ(image_id(index), Digest::of("m").str());
  EXPECT_EQ(image_id({}), "");
}

TEST(ResultFiles, AreReplacedAsAWhole) {
  const auto dir = TempDir::create();
  ASSERT_TRUE(dir);
  const std::string path = dir->path() + "/iid";
  ASSERT_TRUE(write_file(path, "old"));
  ASSERT_TRUE(write_iid_file(path, report()));
  EXPECT_EQ(*read_file(path), Digest::of("c").str());
  EXPECT_TRUE(write_metadata_file("/dev/null", report()));
  const auto failed = write_iid_file(dir->path() + "/no/such/dir", report());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message().substr(0, 18), "write the image ID");
}

}  // namespace
}  // namespace mybuild::cli
