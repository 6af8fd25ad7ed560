// SPDX-License-Identifier: Apache-2.0
#include "tests/registry/live_registry.h"

#include "builder/registry/client.h"
#include "builder/registry/push.h"
#include "snapshotter/oci/media_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::registry {
namespace {

/// A one-layer image as an OCI layout under `dir`; returns the layer's bytes.
std::string write_layout(const std::string& dir, std::size_t layer_size) {
  const std::string layer(layer_size, 'L');
  const std::string config =
      R"({"architecture":"amd64","config":{},"os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
      Digest::of(layer).str() + "\"]}}";
  oci::Manifest manifest;
  manifest.media_type = oci::kMediaTypeManifest;
  manifest.config = {std::string(oci::kMediaTypeConfig), Digest::of(config), config.size(), {}, {}};
  manifest.layers = {{std::string(oci::kMediaTypeLayer), Digest::of(layer), layer.size(), {}, {}}};
  const std::string document = dump(manifest);
  oci::Index index;
  index.media_type = oci::kMediaTypeIndex;
  index.manifests = {
      {std::string(oci::kMediaTypeManifest), Digest::of(document), document.size(), {}, {}}};
  index.manifests[0].annotations["org.opencontainers.image.ref.name"] = "t";
  EXPECT_TRUE(make_dirs(dir + "/blobs/sha256"));
  EXPECT_TRUE(write_file(dir + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  EXPECT_TRUE(write_file(dir + "/index.json", dump(index)));
  for (const std::string& blob : {layer, config, document}) {
    EXPECT_TRUE(write_file(dir + "/blobs/sha256/" + Digest::of(blob).hex(), blob));
  }
  return layer;
}

class LiveRegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = LiveRegistry::missing()) {
      GTEST_SKIP() << *reason;
    }
    auto registry = LiveRegistry::start();
    ASSERT_TRUE(registry) << registry.error().message();
    registry_.emplace(std::move(registry).value());
    auto dir = TempDir::create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(dir).value());
  }

  oci::Reference reference(const std::string& rest) const {
    return oci::Reference::parse(fmt::format("127.0.0.1:{}/{}", registry_->port(), rest)).value();
  }

  std::optional<LiveRegistry> registry_;
  std::optional<TempDir> dir_;
  std::unique_ptr<Transport> transport_ = make_lazy_curl_transport();
  std::unique_ptr<RegistryClient> client_ = make_registry_client(*transport_);
  Cancel cancel_;
};

TEST_F(LiveRegistryTest, AnImagePushedBySkopeoIsPulledByTagAndDigest) {
  const std::string layer = write_layout(dir_->path(), 3 << 20);
  ASSERT_TRUE(registry_->push("oci:" + dir_->path() + ":t", "some/image:v1"));
  const auto by_tag = client_->manifest(reference("some/image:v1"), cancel_);
  ASSERT_TRUE(by_tag) << by_tag.error().message();
  const auto by_digest =
      client_->manifest(reference("some/image@" + by_tag->digest.str()), cancel_);
  ASSERT_TRUE(by_digest) << by_digest.error().message();
  EXPECT_EQ(by_digest->bytes, by_tag->bytes);
  const oci::Manifest manifest = oci::parse_manifest(by_tag->bytes).value();
  ASSERT_EQ(manifest.layers.size(), 1u);
  StringSink sink;
  const Status status =
      client_->blob(reference("some/image:v1"), manifest.layers[0], sink, cancel_);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(sink.text.size(), manifest.layers[0].size);
}

TEST_F(LiveRegistryTest, WhatIsNotThereIsNamed) {
  const auto manifest = client_->manifest(reference("no/such:tag"), cancel_);
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(manifest.error().message(), testing::HasSubstr("no/such:tag"));
  StringSink sink;
  const oci::Descriptor missing{"a/b", Digest::of("missing"), 7, {}, {}};
  EXPECT_EQ(client_->blob(reference("no/such:tag"), missing, sink, cancel_).error().kind(),
            ErrorKind::NotFound);
}

/// Bytes that nobody could keep in memory, in the time that a test has.
class Zeros final : public Source {
 public:
  explicit Zeros(std::uint64_t size) : left_(size) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer.size()));
    std::fill_n(buffer.begin(), count, std::byte{0});
    left_ -= count;
    return count;
  }

 private:
  std::uint64_t left_;
};

BlobUpload zeros(std::uint64_t size) {
  Hasher hasher;
  Zeros bytes(size);
  EXPECT_TRUE(copy(bytes, hasher));
  BlobUpload upload;
  upload.blob.digest = hasher.finish();
  upload.blob.size = size;
  upload.open = [size](std::uint64_t offset) -> Result<std::unique_ptr<Source>> {
    return std::unique_ptr<Source>(std::make_unique<Zeros>(size - offset));
  };
  return upload;
}

TEST_F(LiveRegistryTest, WhatIsPushedIsThere) {
  const auto push = make_registry_push(*transport_);
  for (const std::uint64_t size : {0ULL, 1ULL, 40ULL << 20}) {
    const BlobUpload upload = zeros(size);
    EXPECT_EQ(push->blob(reference("r/a:t"), upload, cancel_).value(), Delivery::Sent) << size;
    EXPECT_EQ(push->blob(reference("r/a:t"), upload, cancel_).value(), Delivery::AlreadyThere);
    BlobUpload mounted = upload;
    mounted.open = nullptr;
    mounted.mount_from = "r/a";
    EXPECT_EQ(push->blob(reference("r/b:t"), mounted, cancel_).value(), Delivery::Mounted);
  }
}

TEST_F(LiveRegistryTest, OtherBytesThanPromisedAreRefused) {
  const auto push = make_registry_push(*transport_);
  BlobUpload upload = zeros(100);
  upload.blob.digest = Digest::of("other");
  EXPECT_FALSE(push->blob(reference("r/a:t"), upload, cancel_));
  upload = zeros(100);
  upload.open = [](std::uint64_t) -> Result<std::unique_ptr<Source>> {
    return make_error(ErrorKind::NotFound, "the blob went away");
  };
  const auto unreadable = push->blob(reference("r/a:t"), upload, cancel_);
  ASSERT_FALSE(unreadable);
  EXPECT_EQ(unreadable.error().kind(), ErrorKind::NotFound);
}

/// Asks for the stop when half of it was read.
class Stopping final : public Source {
 public:
  explicit Stopping(Cancel& cancel) : cancel_(cancel) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    read_ += buffer.size();
    if (read_ > (8U << 20)) {
      cancel_.request(make_error(ErrorKind::Cancelled, "stopped"));
    }
    return buffer.size();
  }

 private:
  Cancel& cancel_;
  std::size_t read_ = 0;
};

TEST_F(LiveRegistryTest, AnUploadStopsWhenItIsCancelled) {
  const auto push = make_registry_push(*transport_);
  BlobUpload upload;
  upload.blob.digest = Digest::of("never");
  upload.blob.size = 1ULL << 40;
  upload.open = [&](std::uint64_t) -> Result<std::unique_ptr<Source>> {
    return std::unique_ptr<Source>(std::make_unique<Stopping>(cancel_));
  };
  const auto stopped = push->blob(reference("r/a:t"), upload, cancel_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind(), ErrorKind::Cancelled);
}

}  // namespace
}  // namespace mybuild::registry
