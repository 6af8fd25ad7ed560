// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_layout.h"

#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"
#include "tests/source/test_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace mybuild::source {
namespace {

using testing::HasSubstr;

const oci::Platform kAmd64{"linux", "amd64", "", ""};
const oci::Platform kArm64{"linux", "arm64", "", ""};

class Layout : public testing::Test {
 protected:
  Result<oci::Manifest> find(const std::string& path, const std::string& tag = "",
                             const oci::Platform& platform = kAmd64) {
    auto layout = TRY(open_image_layout(path));
    return layout->manifest(tag, std::nullopt, platform);
  }
  static std::string blob_text(ImageLayout& layout, const Digest& digest) {
    const auto source = layout.open_blob(digest);
    EXPECT_TRUE(source) << source.error().message();
    const auto text = read_all(**source, 1 << 20);
    EXPECT_TRUE(text) << text.error().message();
    return text.value_or("");
  }
  /// Runs a command in the test's folder.
  bool run(std::vector<std::string> argv) {
    Child::Options options;
    options.argv = {"env", "-C", dir_.path()};
    options.argv.insert(options.argv.end(), argv.begin(), argv.end());
    options.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir_.path(),
                   "TMPDIR=" + dir_.path()};
    auto child = Child::spawn(options);
    return child && child->wait().value_or(ExitStatus{1, 0}).success();
  }
  std::string in(const std::string& name) const { return dir_.path() + "/" + name; }

  TempDir dir_ = TempDir::create().value();
  Blobs blobs_;
};

TEST_F(Layout, ItsOnlyImageNeedsNoTag) {
  const TestImage image = make_image({"layer"}, "linux/amd64", blobs_);
  write_layout(in("l"), {image.descriptor}, blobs_);
  const auto layout = open_image_layout(in("l"));
  ASSERT_TRUE(layout) << layout.error().message();
  const auto manifest = (*layout)->manifest("", std::nullopt, kAmd64);
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->config.digest, image.manifest.config.digest);
  EXPECT_EQ(blob_text(**layout, manifest->layers[0].digest), "layer");
}

TEST_F(Layout, TagsDecideAndTheErrorListsThem) {
  const TestImage one = make_image({"1"}, "linux/amd64", blobs_);
  const TestImage two = make_image({"2"}, "linux/amd64", blobs_);
  write_layout(in("l"),
               {tagged(one.descriptor, "one"), tagged(two.descriptor, "docker.io/library/x:two")},
               blobs_);
  EXPECT_EQ(find(in("l"), "one")->config.digest, one.manifest.config.digest);
  EXPECT_EQ(find(in("l"), "two")->config.digest, two.manifest.config.digest);
  for (const char* tag : {"three", ""}) {
    const auto missing = find(in("l"), tag);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind(), ErrorKind::NotFound);
    EXPECT_THAT(missing.error().hint(), HasSubstr("one, docker.io/library/x:two"));
  }
}

TEST_F(Layout, LatestIsTheTagOfNoTag) {
  const TestImage one = make_image({"1"}, "linux/amd64", blobs_);
  const TestImage two = make_image({"2"}, "linux/amd64", blobs_);
  write_layout(in("l"), {tagged(one.descriptor, "old"), tagged(two.descriptor, "latest")}, blobs_);
  EXPECT_EQ(find(in("l"))->config.digest, two.manifest.config.digest);
}

TEST_F(Layout, NestedIndexesLeadToThePlatform) {
  const TestImage amd = make_image({"a"}, "linux/amd64", blobs_);
  const TestImage arm = make_image({"b"}, "linux/arm64", blobs_);
  oci::Descriptor attestation = make_image({"att"}, "linux/amd64", blobs_).descriptor;
  attestation.annotations["vnd.docker.reference.type"] = "attestation-manifest";
  const oci::Descriptor inner = make_index({attestation, amd.descriptor, arm.descriptor}, blobs_);
  write_layout(in("l"), {make_index({inner}, blobs_)}, blobs_);
  EXPECT_EQ(find(in("l"), "", kAmd64)->config.digest, amd.manifest.config.digest);
  EXPECT_EQ(find(in("l"), "", kArm64)->config.digest, arm.manifest.config.digest);
  const auto missing = find(in("l"), "", oci::Platform{"linux", "s390x", "", ""});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("linux/s390x"));
  EXPECT_THAT(missing.error().hint(), HasSubstr("linux/amd64, linux/arm64"));
}

TEST_F(Layout, ImagesWithoutPlatformInTheIndexAreAskedThemselves) {
  TestImage amd = make_image({"a"}, "linux/amd64", blobs_);
  TestImage arm = make_image({"b"}, "linux/arm64", blobs_);
  amd.descriptor.platform.reset();
  arm.descriptor.platform.reset();
  write_layout(in("l"), {amd.descriptor, arm.descriptor}, blobs_);
  EXPECT_EQ(find(in("l"), "", kArm64)->config.digest, arm.manifest.config.digest);
}

TEST_F(Layout, ADigestNamesAnythingInIt) {
  const TestImage amd = make_image({"a"}, "linux/amd64", blobs_);
  const oci::Descriptor index = make_index({amd.descriptor}, blobs_);
  write_layout(in("l"), {tagged(index, "x")}, blobs_);
  const auto layout = open_image_layout(in("l")).value();
  EXPECT_TRUE(layout->manifest("", index.digest, kAmd64));
  EXPECT_TRUE(layout->manifest("wrong", amd.descriptor.digest, kAmd64));
  EXPECT_EQ(layout->manifest("", Digest::of("no"), kAmd64).error().kind(), ErrorKind::NotFound);
}

TEST_F(Layout, ChangedBlobsAreNoticed) {
  const TestImage image = make_image({"layer"}, "linux/amd64", blobs_);
  write_layout(in("l"), {image.descriptor}, blobs_);
  const std::string layer = in("l/blobs/sha256/") + Digest::of("layer").hex();
  ASSERT_TRUE(write_file(layer, "lAyer"));
  const auto layout = open_image_layout(in("l")).value();
  const auto source = layout->open_blob(Digest::of("layer")).value();
  EXPECT_EQ(read_all(*source, 100).error().kind(), ErrorKind::DataLoss);
  ASSERT_TRUE(
      write_file(in("l/blobs/sha256/") + image.descriptor.digest.hex(), image.manifest_text + " "));
  EXPECT_EQ(find(in("l")).error().kind(), ErrorKind::DataLoss);
}

TEST_F(Layout, LinksAndFifosDoNotLeadOutside) {
  const TestImage image = make_image({"layer"}, "linux/amd64", blobs_);
  write_layout(in("l"), {image.descriptor}, blobs_);
  ASSERT_TRUE(write_file(in("secret"), "outside"));
  const std::string blob = in("l/blobs/sha256/") + Digest::of("outside").hex();
  ASSERT_EQ(::symlink(in("secret").c_str(), blob.c_str()), 0);
  const auto layout = open_image_layout(in("l")).value();
  EXPECT_FALSE(layout->open_blob(Digest::of("outside")));
  const std::string fifo = in("l/blobs/sha256/") + Digest::of("fifo").hex();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(layout->open_blob(Digest::of("fifo")));
}

TEST_F(Layout, WhatIsNoLayoutIsRefusedByName) {
  ASSERT_TRUE(make_dirs(in("empty")));
  EXPECT_THAT(open_image_layout(in("empty")).error().message(),
              HasSubstr("neither an OCI image layout"));
  ASSERT_TRUE(write_file(in("text"), "hello world, this is no tar\n"));
  EXPECT_FALSE(open_image_layout(in("text")));
  EXPECT_EQ(open_image_layout(in("nothing")).error().kind(), ErrorKind::NotFound);
  ASSERT_TRUE(make_dirs(in("bad")));
  ASSERT_TRUE(write_file(in("bad/oci-layout"), "{}"));
  ASSERT_TRUE(write_file(in("bad/index.json"), "[]"));
  EXPECT_FALSE(find(in("bad")));
  write_layout(in("none"), {}, blobs_);
  EXPECT_EQ(find(in("none")).error().kind(), ErrorKind::NotFound);
}

TEST_F(Layout, ATarOfOneIsReadInPlaceOrUnpacked) {
  const std::string big(300'000, 'x');
  const TestImage image = make_image({"layer", big, ""}, "linux/amd64", blobs_);
  write_layout(in("l"), {image.descriptor}, blobs_);
  ASSERT_TRUE(run({"tar", "-cf", "plain.tar", "-C", "l", "."}));
  ASSERT_TRUE(run({"tar", "-czf", "packed.tar.gz", "--format=pax", "-C", "l", "."}));
  for (const char* name : {"plain.tar", "packed.tar.gz"}) {
    const auto layout = open_image_layout(in(name));
    ASSERT_TRUE(layout) << layout.error().message();
    const auto manifest = (*layout)->manifest("", std::nullopt, kAmd64);
    ASSERT_TRUE(manifest) << manifest.error().message();
    EXPECT_EQ(blob_text(**layout, manifest->layers[0].digest), "layer");
    EXPECT_EQ(blob_text(**layout, manifest->layers[1].digest), big);
    EXPECT_EQ(blob_text(**layout, manifest->layers[2].digest), "");
  }
}

TEST_F(Layout, ATarThatEndsTooEarlyIsNoticed) {
  const TestImage image = make_image({std::string(100'000, 'x')}, "linux/amd64", blobs_);
  write_layout(in("l"), {image.descriptor}, blobs_);
  ASSERT_TRUE(run({"tar", "-cf", "whole.tar", "-C", "l", "."}));
  const std::string whole = read_file(in("whole.tar")).value();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{100}, std::size_t{700}, whole.size() / 2}) {
    ASSERT_TRUE(write_file(in("cut.tar"), whole.substr(0, size)));
    const auto manifest = find(in("cut.tar"));
    EXPECT_FALSE(manifest) << size;
  }
}

class DockerArchive : public Layout {
 protected:
  /// As `docker save` of old wrote it; `layers` are file names to contents.
  void write_archive(const std::string& config,
                     const std::vector<std::pair<std::string, std::string>>& layers) {
    ASSERT_TRUE(make_dirs(in("d")));
    ASSERT_TRUE(write_file(in("d/config.json"), config));
    std::string names;
    for (const auto& [name, bytes] : layers) {
      ASSERT_TRUE(make_dirs(in("d/") + name.substr(0, name.find('/'))));
      if (!bytes.empty()) {
        ASSERT_TRUE(write_file(in("d/") + name, bytes));
      }
      names += (names.empty() ? "\"" : ",\"") + name + "\"";
    }
    ASSERT_TRUE(write_file(
        in("d/manifest.json"),
        R"([{"Config":"config.json","RepoTags":["x:1","x:2"],"Layers":[)" + names + "]}]"));
  }
};

TEST_F(DockerArchive, GetsAManifestWhoseBlobsCanBeRead) {
  const TestImage image = make_image({"one", "two"}, "linux/amd64", blobs_);
  write_archive(image.config_text, {{"a/layer.tar", "one"}, {"b/layer.tar", "two"}});
  ASSERT_TRUE(run({"tar", "-cf", "docker.tar", "-C", "d", "."}));
  for (const char* path : {"docker.tar", "d"}) {
    const auto layout = open_image_layout(in(path)).value();
    for (const char* tag : {"", "1", "x:2"}) {
      const auto manifest = layout->manifest(tag, std::nullopt, kAmd64);
      ASSERT_TRUE(manifest) << manifest.error().message();
      EXPECT_EQ(manifest->config.digest, Digest::of(image.config_text));
      EXPECT_EQ(blob_text(*layout, manifest->config.digest), image.config_text);
      EXPECT_EQ(blob_text(*layout, manifest->layers[1].digest), "two");
    }
    EXPECT_THAT(layout->manifest("3", std::nullopt, kAmd64).error().hint(), HasSubstr("x:1, x:2"));
    EXPECT_TRUE(layout->manifest("", Digest::of(image.config_text), kAmd64));
  }
}

TEST_F(DockerArchive, LayersThatAreLinksToOthersAreFollowed) {
  const TestImage image = make_image({"one", "one"}, "linux/amd64", blobs_);
  write_archive(image.config_text, {{"a/layer.tar", "one"}, {"b/layer.tar", ""}});
  ASSERT_EQ(::symlink("../a/layer.tar", in("d/b/layer.tar").c_str()), 0);
  ASSERT_TRUE(run({"tar", "-cf", "docker.tar", "-C", "d", "."}));
  const auto layout = open_image_layout(in("docker.tar")).value();
  const auto manifest = layout->manifest("", std::nullopt, kAmd64);
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->layers[0].digest, manifest->layers[1].digest);
}

TEST_F(DockerArchive, LinksInACircleEnd) {
  const TestImage image = make_image({"one"}, "linux/amd64", blobs_);
  write_archive(image.config_text, {{"a/layer.tar", ""}});
  ASSERT_EQ(::symlink("../a/layer.tar", in("d/a/layer.tar").c_str()), 0);
  ASSERT_TRUE(run({"tar", "-cf", "docker.tar", "-C", "d", "."}));
  EXPECT_EQ(find(in("docker.tar")).error().kind(), ErrorKind::NotFound);
}

TEST_F(DockerArchive, CompressedLayersAreNamedByTheirOwnDigest) {
  const TestImage image = make_image({"one"}, "linux/amd64", blobs_);
  ASSERT_TRUE(write_file(in("one"), "one"));
  ASSERT_TRUE(run({"gzip", "-n", "one"}));
  const std::string packed = read_file(in("one.gz")).value();
  write_archive(image.config_text, {{"a/layer.tar", packed}});
  const auto layout = open_image_layout(in("d")).value();
  const auto manifest = layout->manifest("", std::nullopt, kAmd64).value();
  EXPECT_EQ(manifest.layers[0].digest, Digest::of(packed));
  EXPECT_EQ(manifest.layers[0].media_type, oci::kMediaTypeLayerGzip);
  EXPECT_EQ(blob_text(*layout, Digest::of(packed)), packed);
}

TEST_F(DockerArchive, LayersMustBeAsManyAsTheConfigSays) {
  const TestImage image = make_image({"one", "two"}, "linux/amd64", blobs_);
  write_archive(image.config_text, {{"a/layer.tar", "one"}});
  EXPECT_THAT(find(in("d")).error().message(), HasSubstr("2 layers"));
}

TEST_F(DockerArchive, OneMadeBySkopeoIsRead) {
  if (!sys::exists_at(AT_FDCWD, "/usr/bin/skopeo")) {
    GTEST_SKIP() << "skopeo is not installed";
  }
  ASSERT_TRUE(make_dirs(in("tree")));
  ASSERT_TRUE(write_file(in("tree/f"), "content"));
  ASSERT_TRUE(run({"tar", "-cf", "layer.tar", "-C", "tree", "."}));
  const TestImage image = make_image({read_file(in("layer.tar")).value()}, "linux/amd64", blobs_);
  write_layout(in("l"), {tagged(image.descriptor, "t")}, blobs_);
  ASSERT_TRUE(run({"skopeo", "copy", "--quiet", "--insecure-policy", "oci:l:t",
                   "docker-archive:s.tar:app:v1"}));
  const auto layout = open_image_layout(in("s.tar")).value();
  const auto manifest = layout->manifest("v1", std::nullopt, kAmd64);
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(blob_text(*layout, manifest->layers[0].digest), read_file(in("layer.tar")).value());
}

}  // namespace
}  // namespace mybuild::source
