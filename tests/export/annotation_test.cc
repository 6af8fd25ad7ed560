// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/json.h"
#include "tests/export/fixture.h"
#include "tests/export/tar_listing.h"

namespace mybuild::exporter {
namespace {

using Place = Annotation::Place;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const oci::Platform kAmd64{"linux", "amd64", "", ""};
const oci::Platform kArm64{"linux", "arm64", "", ""};

Annotation made(Place place, std::string key, std::string value,
                std::optional<oci::Platform> platform = {}) {
  return {.place = place,
          .platform = std::move(platform),
          .key = std::move(key),
          .value = std::move(value)};
}

TEST(Annotations, OfAPlatformWinAndLaterOnesWin) {
  const std::vector<Annotation> all{
      made(Place::Manifest, "a", "arm", kArm64), made(Place::Manifest, "a", "first"),
      made(Place::Manifest, "a", "second"), made(Place::Index, "b", "index")};
  EXPECT_THAT(annotations_for(all, Place::Manifest, kAmd64), ElementsAre(Pair("a", "second")));
  EXPECT_THAT(annotations_for(all, Place::Manifest, kArm64), ElementsAre(Pair("a", "arm")));
  EXPECT_THAT(annotations_for(all, Place::Index, std::nullopt), ElementsAre(Pair("b", "index")));
  EXPECT_THAT(annotations_for(all, Place::IndexDescriptor, std::nullopt), IsEmpty());
}

TEST(Annotations, WithoutAPlaceAreRefusedBeforeTheBuild) {
  const std::vector<Annotation> index{made(Place::Index, "a", "1")};
  const std::vector<Annotation> arm{made(Place::Manifest, "a", "1", kArm64)};
  EXPECT_FALSE(check_annotations(index, {{kAmd64}}, false));
  EXPECT_TRUE(check_annotations(index, {{kAmd64, kArm64}}, true));
  EXPECT_FALSE(check_annotations(arm, {{kAmd64}}, true));
  EXPECT_TRUE(check_annotations(arm, {{kAmd64}}, false)) << "one job of several";
}

class AnnotatedExport : public ExportTest {
 protected:
  void annotate(OutputSpec& spec) const {
    spec.annotations = {made(Place::Manifest, "m", "1"), made(Place::ManifestDescriptor, "md", "2"),
                        made(Place::Index, "i", "3"), made(Place::IndexDescriptor, "id", "4"),
                        made(Place::Manifest, "arm", "5", kArm64)};
  }
  Json document(const Json& descriptor) const {
    const std::string digest = descriptor.at("digest");
    return parse_json(content_->read(Digest::parse(digest).value()).value()).value();
  }
  Json index_json(const std::string& folder) const {
    return parse_json(read_file(path(folder) + "/index.json").value()).value();
  }
  OutputSpec folder() const {
    OutputSpec spec = to(OutputType::Oci, "out");
    spec.tar = false;
    return spec;
  }
};

TEST_F(AnnotatedExport, EachGoesToItsPlace) {
  output_.images.push_back(make_image(kArm64));
  output_.multi_platform = true;
  OutputSpec spec = folder();
  annotate(spec);
  ASSERT_TRUE(run_export(spec));
  const Json line = index_json("out")["manifests"][0];
  EXPECT_EQ(line["annotations"]["id"], "4");
  EXPECT_FALSE(line["annotations"].contains("i"));
  const Json index = document(line);
  EXPECT_EQ(index["annotations"], Json({{"i", "3"}}));
  for (const Json& manifest : index["manifests"]) {
    EXPECT_EQ(manifest["annotations"], Json({{"md", "2"}}));
  }
  EXPECT_EQ(document(index["manifests"][0])["annotations"], Json({{"m", "1"}}));
  EXPECT_EQ(document(index["manifests"][1])["annotations"], Json({{"arm", "5"}, {"m", "1"}}));
}

TEST_F(AnnotatedExport, OfOnePlatformStandInTheManifestAndInIndexJson) {
  OutputSpec spec = folder();
  annotate(spec);
  const ExportReport report = run_export(spec).value();
  const Json line = index_json("out")["manifests"][0];
  EXPECT_EQ(line["annotations"]["md"], "2");
  EXPECT_EQ(document(line)["annotations"], Json({{"m", "1"}}));
  const ExportReport plain = run_export(folder()).value();
  EXPECT_EQ(report.config, plain.config);
  EXPECT_NE(report.descriptor->digest, plain.descriptor->digest);
}

class Warnings final : public solver::EventSink {
 public:
  void on_event(solver::Event event) override {
    messages.push_back(std::get<solver::Warning>(event).message);
  }
  std::vector<std::string> messages;
};

std::vector<std::string> warnings_of(const std::vector<OutputSpec>& specs) {
  Warnings events;
  ExpectedOutput expected;
  expected.platforms = {kAmd64};
  EXPECT_TRUE(check_outputs(specs, expected, events));
  return events.messages;
}

Status check_two_platforms(const OutputSpec& spec) {
  Warnings events;
  ExpectedOutput expected;
  expected.platforms = {kAmd64, kAmd64};
  expected.multi_platform = true;
  return check_outputs({spec}, expected, events);
}

TEST(OutputCheck, ADockerArchiveTakesOnePlatform) {
  OutputSpec spec;
  EXPECT_TRUE(check_two_platforms(spec)) << "the local store keeps all of them";
  spec.type = OutputType::Docker;
  spec.dest = "x.tar";
  EXPECT_EQ(check_two_platforms(spec).error().message(), "a docker archive holds one platform");
  spec.type = OutputType::Oci;
  EXPECT_TRUE(check_two_platforms(spec));
}

TEST(OutputCheck, SaysWhatWillHaveNoEffect) {
  OutputSpec store;
  store.annotations = {made(Place::Manifest, "a", "1")};
  OutputSpec pushed = store;
  pushed.push = true;
  OutputSpec local;
  local.type = OutputType::Local;
  local.annotations = {made(Place::Index, "a", "1")};
  EXPECT_THAT(warnings_of({store}), ElementsAre("annotations are kept by no output"));
  EXPECT_THAT(warnings_of({local}), ElementsAre("annotations are kept by no output"));
  EXPECT_THAT(warnings_of({store, pushed, local}), IsEmpty());
  OutputSpec rewritten;
  rewritten.type = OutputType::Registry;
  rewritten.rewrite_timestamp = true;
  EXPECT_EQ(warnings_of({rewritten}).size(), 1U);
  rewritten.source_date_epoch = 5;
  EXPECT_THAT(warnings_of({rewritten}), IsEmpty());
}

}  // namespace
}  // namespace mybuild::exporter
