// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"
#include "tests/export/fixture.h"
#include "tests/export/tar_listing.h"

#include <algorithm>
#include <cstdlib>

namespace mybuild::exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class LayoutExport : public ExportTest {
 protected:
  OutputSpec uncompressed(OutputType type, const std::string& dest) const {
    OutputSpec spec = to(type, dest);
    spec.compression.compression = oci::Compression::None;  // bytes that no library version changes
    return spec;
  }

  std::map<std::string, std::string> members(const std::string& name) const {
    std::map<std::string, std::string> texts;
    for (const TarMember& member : list_tar(path(name))) {
      texts[member.entry.path] = member.text;
    }
    return texts;
  }

  static std::string blob_of(const std::map<std::string, std::string>& members, const Json& line) {
    const std::string digest = line.at("digest");
    return members.at("blobs/sha256/" + digest.substr(7));
  }

  Json config_of(const std::string& name) const {
    const auto files = members(name);
    const Json index = parse_json(files.at("index.json")).value();
    const Json manifest = parse_json(blob_of(files, index["manifests"][0])).value();
    return parse_json(blob_of(files, manifest["config"])).value();
  }
};

void expect_golden(const std::string& name, const std::string& text) {
  const std::string file = std::string(MYBUILD_SOURCE_DIR) + "/testdata/export/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file(file, text));
    GTEST_SKIP() << "wrote " << file;
  }
  EXPECT_EQ(text, read_file(file).value_or("")) << file;
}

TEST_F(LayoutExport, TheArchiveOfATinyImageIsThisList) {
  ASSERT_TRUE(run_export(uncompressed(OutputType::Oci, "image.tar")));
  std::string listing;
  for (const TarMember& member : list_tar(path("image.tar"))) {
    listing += fmt::format("{:o} {} {} {}\n", member.entry.mode, member.entry.size,
                           member.entry.mtime.tv_sec, member.entry.path);
  }
  expect_golden("oci-members.txt", listing);
}

TEST_F(LayoutExport, IndexAndManifestOfATinyImageAreTheseBytes) {
  const ExportReport report = run_export(uncompressed(OutputType::Oci, "image.tar")).value();
  const auto files = members("image.tar");
  const Json index = parse_json(files.at("index.json")).value();
  expect_golden("oci-documents.txt", files.at("index.json") + "\n" +
                                         blob_of(files, index["manifests"][0]) + "\n" +
                                         files.at("oci-layout") + "\n");
  EXPECT_EQ(index["manifests"][0]["digest"], report.descriptor->digest.str());
}

TEST_F(LayoutExport, TheSameResultGivesTheSameArchive) {
  ASSERT_TRUE(run_export(to(OutputType::Oci, "a.tar")));
  ASSERT_TRUE(run_export(to(OutputType::Oci, "b.tar")));
  EXPECT_EQ(Digest::of(read_file(path("a.tar")).value()),
            Digest::of(read_file(path("b.tar")).value()));
}

TEST_F(LayoutExport, EveryNameIsALineOfTheIndex) {
  OutputSpec spec = to(OutputType::Oci, "image.tar");
  spec.names = {oci::Reference::parse("localhost:5000/other:v2").value(), output_.names[0]};
  const ExportReport report = run_export(spec).value();
  EXPECT_THAT(report.names, ElementsAre("docker.io/library/hello:v1", "localhost:5000/other:v2"));
  const Json index = parse_json(members("image.tar").at("index.json")).value();
  ASSERT_EQ(index["manifests"].size(), 2U);
  const Json annotations = index["manifests"][1]["annotations"];
  EXPECT_EQ(annotations["io.containerd.image.name"], "localhost:5000/other:v2");
  EXPECT_EQ(annotations["org.opencontainers.image.ref.name"], "v2");
  EXPECT_EQ(annotations["org.opencontainers.image.created"], "2023-11-14T22:13:21Z");
}

TEST_F(LayoutExport, TheEpochIsTheTimeInTheIndex) {
  output_.source_date_epoch = kEpoch;
  ASSERT_TRUE(run_export(to(OutputType::Oci, "image.tar")));
  const Json index = parse_json(members("image.tar").at("index.json")).value();
  EXPECT_EQ(index["manifests"][0]["annotations"]["org.opencontainers.image.created"],
            "2020-09-13T12:26:40Z");
}

TEST_F(LayoutExport, CompressionChangesBlobsAndNotTheImageId) {
  OutputSpec zstd = to(OutputType::Oci, "zstd.tar");
  zstd.compression.compression = oci::Compression::Zstd;
  const ExportReport zstd_report = run_export(zstd).value();
  const ExportReport gzip_report = run_export(to(OutputType::Oci, "gzip.tar")).value();
  EXPECT_EQ(zstd_report.config, gzip_report.config);
  EXPECT_NE(zstd_report.descriptor->digest, gzip_report.descriptor->digest);
  const auto files = members("zstd.tar");
  const Json index = parse_json(files.at("index.json")).value();
  const Json manifest = parse_json(blob_of(files, index["manifests"][0])).value();
  EXPECT_EQ(manifest["layers"][0]["mediaType"], oci::kMediaTypeLayerZstd);
}

TEST_F(LayoutExport, RewrittenTimesAreNotLaterThanTheEpochAndHaveDiffIdsOfTheirOwn) {
  output_.source_date_epoch = kEpoch;
  for (const auto compression : {oci::Compression::None, oci::Compression::Gzip}) {
    OutputSpec spec = to(OutputType::Oci, "image.tar");
    spec.rewrite_timestamp = true;
    spec.compression.compression = compression;
    ASSERT_TRUE(run_export(spec));
    const auto files = members("image.tar");
    const Json config = config_of("image.tar");
    const Json index = parse_json(files.at("index.json")).value();
    const Json manifest = parse_json(blob_of(files, index["manifests"][0])).value();
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string tar = plain(blob_of(files, manifest["layers"][i]));
      const std::string diff_id = config["rootfs"]["diff_ids"][i];
      EXPECT_EQ(diff_id, Digest::of(tar).str());
      EXPECT_NE(diff_id, output_.images[0].config.diff_ids[i].str());
      EXPECT_FALSE(manifest["layers"][i].contains("annotations"));
      for (const TarMember& member : list_tar_text(tar)) {
        EXPECT_LE(member.entry.mtime.tv_sec, kEpoch) << member.entry.path;
      }
    }
  }
}

TEST_F(LayoutExport, ABaseLayerKeepsItsOriginalBlobAndGetsAnOciType) {
  const Digest diff_id = output_.images[0].layers[0].diff_id;
  oci::Descriptor blob = layers_->ensure_blob(diff_id, {oci::Compression::Gzip, 1}).value();
  blob.media_type = oci::kDockerMediaTypeLayerGzip;
  ASSERT_TRUE(layers_->add_original_blob(diff_id, blob));
  output_.images[0].layers[0].blob = blob;
  output_.source_date_epoch = kEpoch;
  OutputSpec spec = to(OutputType::Oci, "image.tar");
  spec.compression.compression = oci::Compression::Zstd;
  spec.rewrite_timestamp = true;
  ASSERT_TRUE(run_export(spec));
  const auto files = members("image.tar");
  const Json index = parse_json(files.at("index.json")).value();
  const Json manifest = parse_json(blob_of(files, index["manifests"][0])).value();
  EXPECT_EQ(manifest["layers"][0]["digest"], blob.digest.str());
  EXPECT_EQ(manifest["layers"][0]["mediaType"], oci::kMediaTypeLayerGzip);
  EXPECT_EQ(config_of("image.tar")["rootfs"]["diff_ids"][0], diff_id.str());
}

TEST_F(LayoutExport, ForcedCompressionChangesTheBlobOfABaseLayerAndNotItsDiffId) {
  const Digest diff_id = output_.images[0].layers[0].diff_id;
  const oci::Descriptor blob = layers_->ensure_blob(diff_id, {oci::Compression::Gzip, 1}).value();
  ASSERT_TRUE(layers_->add_original_blob(diff_id, blob));
  output_.images[0].layers[0].blob = blob;
  for (const auto compression : {oci::Compression::Gzip, oci::Compression::Zstd}) {
    OutputSpec spec = to(OutputType::Oci, "image.tar");
    spec.compression.compression = compression;
    spec.force_compression = true;
    ASSERT_TRUE(run_export(spec));
    const auto files = members("image.tar");
    const Json index = parse_json(files.at("index.json")).value();
    const Json manifest = parse_json(blob_of(files, index["manifests"][0])).value();
    EXPECT_EQ(manifest["layers"][0]["digest"] == blob.digest.str(),
              compression == oci::Compression::Gzip);
    EXPECT_EQ(Digest::of(plain(blob_of(files, manifest["layers"][0]))), diff_id);
    EXPECT_EQ(config_of("image.tar")["rootfs"]["diff_ids"][0], diff_id.str());
  }
}

TEST_F(LayoutExport, AStepsLayerThatAlsoCameFromElsewhereIsWhatItIsAlone) {
  OutputSpec spec = to(OutputType::Oci, "alone.tar");
  spec.rewrite_timestamp = true;
  output_.source_date_epoch = kEpoch;
  ASSERT_TRUE(run_export(spec));
  const Digest diff_id = output_.images[0].layers[0].diff_id;
  ASSERT_TRUE(layers_->add_original_blob(
      diff_id, layers_->ensure_blob(diff_id, {oci::Compression::Zstd, 1}).value()));
  spec.dest = path("again.tar");
  ASSERT_TRUE(run_export(spec));
  EXPECT_EQ(Digest::of(read_file(path("alone.tar")).value()),
            Digest::of(read_file(path("again.tar")).value()));
}

TEST_F(LayoutExport, SeveralPlatformsAreAnIndex) {
  output_.images.push_back(make_image({"linux", "arm", "v7", ""}));
  const ExportReport report = run_export(to(OutputType::Oci, "image.tar")).value();
  EXPECT_EQ(report.descriptor->media_type, oci::kMediaTypeIndex);
  const auto files = members("image.tar");
  const Json outer = parse_json(files.at("index.json")).value();
  const Json inner = parse_json(blob_of(files, outer["manifests"][0])).value();
  ASSERT_EQ(inner["manifests"].size(), 2U);
  EXPECT_EQ(inner["manifests"][0]["platform"]["architecture"], "amd64");
  EXPECT_EQ(inner["manifests"][1]["platform"]["variant"], "v7");
  blob_of(files, inner["manifests"][1]);  // it is there
}

TEST_F(LayoutExport, ADockerArchiveNamesConfigTagsAndLayers) {
  ASSERT_TRUE(run_export(to(OutputType::Docker, "image.tar")));
  const auto files = members("image.tar");
  const Json entry = parse_json(files.at("manifest.json")).value().at(0);
  EXPECT_THAT(entry["RepoTags"], ElementsAre("hello:v1"));
  ASSERT_EQ(entry["Layers"].size(), 2U);
  EXPECT_EQ(files.count(entry["Layers"][1]), 1U);
  EXPECT_THAT(files.at(entry["Config"]), HasSubstr(R"("Cmd":["/tool"])"));
}

TEST_F(LayoutExport, ADockerArchiveHoldsOnePlatform) {
  output_.images.push_back(make_image({"linux", "arm", "v7", ""}));
  const auto report = run_export(to(OutputType::Docker, "image.tar"));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::Unsupported);
  EXPECT_EQ(report.error().hint(), "use type=oci");
}

TEST_F(LayoutExport, ALayoutDirectoryKeepsOtherImagesAndMovesATag) {
  OutputSpec spec = to(OutputType::Oci, "layout");
  spec.tar = false;
  ASSERT_TRUE(run_export(spec));
  output_.names = {oci::Reference::parse("hello:v2").value()};
  ASSERT_TRUE(run_export(spec));
  output_.images[0].config.cmd = {"/other"};
  const ExportReport third = run_export(spec).value();

  const Json index = parse_json(read_file(path("layout/index.json")).value()).value();
  ASSERT_EQ(index["manifests"].size(), 2U);
  EXPECT_EQ(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "v1");
  EXPECT_EQ(index["manifests"][1]["annotations"]["org.opencontainers.image.ref.name"], "v2");
  EXPECT_EQ(index["manifests"][1]["digest"], third.descriptor->digest.str());
  for (const std::string& name : list("layout/blobs/sha256")) {
    EXPECT_EQ(Digest::of(read_file(path("layout/blobs/sha256/" + name)).value()).hex(), name);
  }
  EXPECT_THAT(list("layout"), UnorderedElementsAre("blobs", "index.json", "oci-layout"));
}

TEST_F(LayoutExport, AFailedExportKeepsTheOldFileAndLeavesNoDraft) {
  ASSERT_TRUE(write_file(path("image.tar"), "old"));
  const Digest diff_id = Digest::of("no such layer");
  output_.images[0].layers[1].diff_id = diff_id;
  const auto report = run_export(to(OutputType::Oci, "image.tar"));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), StartsWith("export layer " + diff_id.str()));
  EXPECT_EQ(read_file(path("image.tar")).value(), "old");
  EXPECT_THAT(list(""), UnorderedElementsAre("content", "image.tar", "state.db", "state.db-shm",
                                             "state.db-wal", "store"));
}

TEST_F(LayoutExport, AFailedExportTakesItsBlobsOutOfALayoutDirectoryAgain) {
  OutputSpec spec = to(OutputType::Oci, "layout");
  spec.tar = false;
  // Blobs are written in the order of their digests; this one cannot be.
  std::string last;
  for (const Digest& id : output_.images[0].config.diff_ids) {
    last = std::max(last, layers_->ensure_blob(id, {}).value().digest.hex());
  }
  ASSERT_TRUE(make_dirs(path("layout/blobs/sha256/" + last)));
  ASSERT_FALSE(run_export(spec));
  EXPECT_THAT(list("layout/blobs/sha256"), ElementsAre(last));
  EXPECT_THAT(list("layout"), ElementsAre("blobs"));

  ASSERT_TRUE(remove_tree(path("layout")));
  output_.images[0].layers[1].diff_id = Digest::of("no such layer");
  ASSERT_FALSE(run_export(spec));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("layout")));
}

TEST_F(LayoutExport, ACancelledExportSaysWhy) {
  cancel_.request(Error(ErrorKind::Cancelled, "interrupted"));
  const auto report = run_export(to(OutputType::Oci, "image.tar"));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::Cancelled);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("image.tar")));
}

TEST_F(LayoutExport, BaseBlobsAreFetchedFirst) {
  deps_->fetch.blobs = [] { return Status(Error(ErrorKind::Unavailable, "registry is down")); };
  const auto report = run_export(to(OutputType::Oci, "image.tar"));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message(), "registry is down");
}

TEST_F(LayoutExport, ANameWithoutATagIsRefused) {
  output_.names[0].tag.clear();
  output_.names[0].digest = Digest::of("x");
  EXPECT_FALSE(run_export(to(OutputType::Oci, "image.tar")));
}

}  // namespace
}  // namespace mybuild::exporter
