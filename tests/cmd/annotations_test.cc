// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/annotations.h"

#include "cmd/mybuild/cli/output_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using exporter::Annotation;
using Place = Annotation::Place;
using testing::ElementsAre;

Annotation made(Place place, std::string key, std::string value, const char* platform = nullptr) {
  Annotation annotation;
  annotation.place = place;
  annotation.key = std::move(key);
  annotation.value = std::move(value);
  if (platform != nullptr) {
    annotation.platform = oci::parse_platform(platform).value();
  }
  return annotation;
}

TEST(Annotations, GoIntoTheManifestUnlessSomethingElseIsSaid) {
  EXPECT_THAT(parse_annotation("org.Example=a=b:c").value(),
              ElementsAre(made(Place::Manifest, "org.Example", "a=b:c")));
  EXPECT_THAT(parse_annotation("k=").value(), ElementsAre(made(Place::Manifest, "k", "")));
  EXPECT_THAT(parse_annotation("index:k=v").value(), ElementsAre(made(Place::Index, "k", "v")));
  EXPECT_THAT(
      parse_annotation("manifest[arm64],index-descriptor,manifest-descriptor:a:b=v").value(),
      ElementsAre(made(Place::Manifest, "a:b", "v", "linux/arm64"),
                  made(Place::IndexDescriptor, "a:b", "v"),
                  made(Place::ManifestDescriptor, "a:b", "v")));
}

TEST(Annotations, OfAnOutputNameTheirPlaceInTheKey) {
  EXPECT_EQ(parse_annotation_option("annotation.org.example.a", "v").value(),
            made(Place::Manifest, "org.example.a", "v"));
  EXPECT_EQ(parse_annotation_option("annotation[linux/arm/v7].a", "v").value(),
            made(Place::Manifest, "a", "v", "linux/arm/v7"));
  EXPECT_EQ(parse_annotation_option("annotation-manifest-descriptor[linux/amd64].a", "v").value(),
            made(Place::ManifestDescriptor, "a", "v", "linux/amd64"));
  EXPECT_TRUE(is_annotation_option("annotation-index.a"));
  EXPECT_FALSE(is_annotation_option("annotations.a"));
  EXPECT_FALSE(is_annotation_option("annotation"));
}

TEST(Annotations, MistakesAreNamed) {
  for (const char* text :
       {"", "k", "=v", "manifest:=v", "foo:k=v", ":k=v", "manifest,:k=v", "manifest[:k=v",
        "manifest[linux/amd64:k=v", "manifest[]:k=v", "manifest[a/b/c/d]:k=v", "Manifest:k=v"}) {
    EXPECT_FALSE(parse_annotation(text)) << text;
  }
  EXPECT_EQ(parse_annotation("foo:k=v").error().message(), "unknown annotation type 'foo'");
}

TEST(Annotations, OfTheCommandLineComeAfterThoseOfAnOutput) {
  std::vector<exporter::OutputSpec> outputs{
      parse_output("type=oci,dest=x,annotation.A=own,annotation-index.b=1").value()};
  annotate({made(Place::Manifest, "a", "flag")}, outputs);
  EXPECT_THAT(outputs[0].annotations,
              ElementsAre(made(Place::Manifest, "a", "own"), made(Place::Index, "b", "1"),
                          made(Place::Manifest, "a", "flag")));
  std::vector<exporter::OutputSpec> none;
  annotate({}, none);
  EXPECT_TRUE(none.empty());
  annotate({made(Place::Manifest, "a", "flag")}, none);
  EXPECT_EQ(none.size(), 1U);
}

}  // namespace
}  // namespace mybuild::cli
