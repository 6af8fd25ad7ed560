// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/descriptor.h"

#include "snapshotter/oci/media_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::oci {
namespace {

using testing::HasSubstr;

Descriptor descriptor(std::string_view media_type, std::string_view bytes) {
  return {std::string(media_type), Digest::of(bytes), bytes.size(), std::nullopt, {}};
}

constexpr char kManifestText[] = R"({
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "size": 5
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": "sha256:486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7",
      "size": 5,
      "annotations": {
        "note": "a\u0026b"
      }
    }
  ],
  "annotations": {
    "k": "v"
  }
})";

Manifest manifest() {
  Manifest value;
  value.media_type = kMediaTypeManifest;
  value.config = descriptor(kMediaTypeConfig, "hello");
  value.layers = {descriptor(kMediaTypeLayerGzip, "world")};
  value.layers[0].annotations = {{"note", "a&b"}};
  value.annotations = {{"k", "v"}};
  return value;
}

TEST(Manifest, IsWrittenAsBuildKitWritesIt) {
  EXPECT_EQ(dump(manifest()), kManifestText);
}

TEST(Manifest, ReadsBackWhatWasWritten) {
  const Manifest read = parse_manifest(kManifestText).value();
  EXPECT_EQ(read.config, manifest().config);
  EXPECT_EQ(read.layers, manifest().layers);
  EXPECT_EQ(read.annotations, manifest().annotations);
}

TEST(Index, KeepsPlatformsAndAnnotationsOfItsManifests) {
  Index index;
  index.media_type = kMediaTypeIndex;
  index.manifests = {descriptor(kMediaTypeManifest, "m")};
  index.manifests[0].platform = Platform{"linux", "arm", "v7", ""};
  index.manifests[0].annotations = {{"org.opencontainers.image.ref.name", "1"}};
  const std::string text = dump(index);
  EXPECT_THAT(text, HasSubstr("\"architecture\": \"arm\",\n        \"os\": \"linux\",\n"
                              "        \"variant\": \"v7\""));
  EXPECT_EQ(parse_index(text).value().manifests, index.manifests);
}

TEST(Descriptor, FitsOnOneLineAndReadsBack) {
  Descriptor value = descriptor(kMediaTypeLayer, "x");
  value.annotations = {{"a", "b"}};
  const std::string text = dump(value);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(parse_descriptor(text).value(), value);
}

TEST(Documents, SayWhatTheyAreOrAreGuessed) {
  EXPECT_EQ(document_media_type(R"({"mediaType":"x/y"})").value(), "x/y");
  EXPECT_EQ(document_media_type(R"({"schemaVersion":2,"manifests":[]})").value(), kMediaTypeIndex);
  EXPECT_EQ(document_media_type(R"({"schemaVersion":2,"config":{},"layers":[]})").value(),
            kMediaTypeManifest);
  EXPECT_FALSE(document_media_type("{}"));
  EXPECT_FALSE(document_media_type("[]"));
  EXPECT_EQ(document_media_type(R"({"schemaVersion":1,"fsLayers":[]})").error().kind(),
            ErrorKind::Unsupported);
}

struct Broken {
  std::string text;
  std::string path;  // what the error must name
};

std::string with_config(const std::string& config) {
  return R"({"schemaVersion":2,"config":)" + config + R"(,"layers":[]})";
}

TEST(Manifest, BrokenOnesNameThePlace) {
  const Broken cases[] = {
      {"", "malformed"},
      {R"({"config":{},"layers":[]})", "schemaVersion"},
      {R"({"schemaVersion":3,"config":{},"layers":[]})", "schemaVersion"},
      {R"({"schemaVersion":1,"config":{},"layers":[]})", "schema 1"},
      {with_config("{}"), "config.mediaType"},
      {with_config(R"({"mediaType":"invalid","digest":"","size":1})"), "config.mediaType"},
      {with_config(R"({"mediaType":"a/b","digest":7,"size":1})"), "config.digest"},
      {with_config(R"({"mediaType":"a/b","digest":"sha256:1","size":1})"), "config.digest"},
      {with_config(std::string(R"({"mediaType":"a/b","digest":")") + Digest::of("").str() +
                   R"(","size":-1})"),
       "config.size"},
      {with_config(std::string(R"({"mediaType":"a/b","digest":")") + Digest::of("").str() +
                   R"(","size":18446744073709551615})"),
       "config.size"},
      {with_config(std::string(R"({"mediaType":"a/b","digest":")") + Digest::of("").str() +
                   R"(","size":1.5})"),
       "config.size"},
      {R"({"schemaVersion":2,"mediaType":"text/html","config":{},"layers":[]})", "text/html"},
  };
  for (const Broken& broken : cases) {
    const Result<Manifest> result = parse_manifest(broken.text);
    ASSERT_FALSE(result) << broken.text;
    EXPECT_THAT(result.error().message(), HasSubstr(broken.path)) << broken.text;
  }
}

TEST(Manifest, ADocumentThatIsAlsoAnIndexIsRefused) {
  std::string text = kManifestText;
  text.insert(1, "\"manifests\": [],");
  EXPECT_THAT(parse_manifest(text).error().message(), HasSubstr("manifests"));
  EXPECT_FALSE(parse_index(R"({"schemaVersion":2,"manifests":[],"layers":[]})"));
}

TEST(MediaType, KnowsBothFamilies) {
  EXPECT_TRUE(is_index(kDockerMediaTypeIndex));
  EXPECT_TRUE(is_manifest(kDockerMediaTypeManifest));
  EXPECT_FALSE(is_manifest(kMediaTypeIndex));
  EXPECT_EQ(layer_media_type(Compression::None), kMediaTypeLayer);
  EXPECT_EQ(layer_media_type(Compression::Zstd), kMediaTypeLayerZstd);
}

}  // namespace
}  // namespace mybuild::oci
