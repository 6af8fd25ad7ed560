// SPDX-License-Identifier: Apache-2.0
#include "builder/export/layer_streams.h"

#include "tests/export/fake_push.h"
#include "tests/export/fixture.h"

#include <future>

namespace mybuild::exporter {
namespace {

using registry::Delivery;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// A push of an image with a layer that is worth a stream.
class Streams : public ExportTest {
 protected:
  Streams() {
    deps_->push = &push_;
    streams_.emplace(lanes_, push_, cancel_);
    deps_->streams = &*streams_;
    spec_.type = OutputType::Registry;
    spec_.compression.compression = oci::Compression::None;
    output_.names = {name("h.io/app:1")};
  }
  /// A build whose last step makes the layer.
  Digest build_layer(char byte) {
    const int before = push_.streams;
    const auto on_draft = [this](const snapshotter::CompressionSpec&, const auto& blob) {
      streams_->begin(name("h.io/app:1"), blob);
    };
    const snapshotter::Layer layer = large_layer(byte, std::span(&spec_.compression, 1), on_draft);
    while (push_.streams == before && !push_.refuses_streams) {
      std::this_thread::yield();
    }
    add(layer);
    return layer.diff_id;  // a plain tar, so it is the blob's, too
  }
  static oci::Reference name(const char* text) { return oci::Reference::parse(text).value(); }
  snapshotter::Layer large_layer(char byte,
                                 std::span<const snapshotter::CompressionSpec> forms = {},
                                 const snapshotter::OnDraft& on_draft = {}) {
    TextContents contents;
    contents.texts = {{"large", std::string(6 << 20, byte)}};
    snapshotter::ChangeList list{entry("large", EntryType::File, 0644)};
    list[0].size = 6 << 20;
    return layers_->commit_changes(std::move(list), contents, forms, on_draft).value();
  }
  void add(const snapshotter::Layer& layer) {
    output_.images.front().layers.push_back(layer);
    output_.images.front().config.diff_ids.push_back(layer.diff_id);
  }

  FakePush push_;
  std::optional<LayerStreams> streams_;
  OutputSpec spec_;
};

TEST_F(Streams, ALayerGoesWhileItIsMadeAndIsNotSentAgain) {
  const Digest large = build_layer('a');
  const ExportReport report = run_export(spec_).value();
  EXPECT_THAT(push_.streamed, ElementsAre(large));
  EXPECT_THAT(push_.sent, SizeIs(3)) << "two small layers and the config";
  EXPECT_THAT(push_.sent, Not(Contains(large)));
  EXPECT_THAT(events_.done(), Contains(testing::AnyOf("pushing " + large.str(),
                                                      "layer already exists " + large.str())))
      << "the registry may have all of it before anybody asks";
  output_.names = {name("h.io/app:2")};
  ASSERT_TRUE(run_export(spec_));
  EXPECT_EQ(push_.streams, 1) << "the blob is known by now";
  EXPECT_EQ(push_.tags.at("h.io/app:2"), report.descriptor->digest);
}

TEST_F(Streams, WhatAPushCompressesGoesOneWayOrTheOther) {
  const Digest large = large_layer('a').diff_id;
  add(large_layer('a'));
  ASSERT_TRUE(run_export(spec_));
  EXPECT_EQ(push_.streamed.size() + push_.sent.size(), 4U);
  EXPECT_THAT(push_.repositories["app"], Contains(large));
}

TEST_F(Streams, ARegistryThatRefusesGetsAllOfThemWhole) {
  push_.refuses_streams = true;
  const Digest large = build_layer('a');
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.sent, Contains(large));
  const int asked = push_.streams;
  const Digest other = build_layer('b');
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.sent, Contains(other));
  EXPECT_EQ(push_.streams, asked) << "it was not asked to again";
  EXPECT_LE(asked, 1);
}

TEST_F(Streams, WhatIsThereAlreadyIsNotWaitedFor) {
  push_.holds_streams = true;
  const Digest large = build_layer('a');
  push_.repositories["app"].insert(large);
  ASSERT_TRUE(run_export(spec_));
  EXPECT_THAT(push_.sent, SizeIs(3));
  EXPECT_THAT(push_.streamed, IsEmpty());
  streams_.reset();  // ends
}

TEST_F(Streams, AnotherRepositoryOfTheRegistryMountsWhatWent) {
  output_.names = {name("h.io/app:1"), name("h.io/other:1"), name("else.io/app2:1")};
  const Digest large = build_layer('a');
  ASSERT_TRUE(run_export(spec_));
  EXPECT_EQ(push_.streams, 1);
  EXPECT_THAT(push_.repositories["other"], Contains(large));
  EXPECT_EQ(std::count(push_.sent.begin(), push_.sent.end(), large), 1) << "else.io only";
}

TEST_F(Streams, OneThatHasNotBegunNeverWill) {
  std::promise<void> free;
  Lanes busy{Lanes::Caps{.exec = 0, .net = 1, .disk = 1}};
  busy.post(Lane::Net, [&] { free.get_future().wait(); });
  LayerStreams streams(busy, push_, cancel_);
  const auto blob = std::make_shared<snapshotter::GrowingBlob>();
  oci::Descriptor whole;
  whole.digest = Digest::of("whole");
  streams.begin(name("h.io/app:1"), blob);
  EXPECT_EQ(streams.find(name("h.io/app:1"), whole.digest), nullptr) << "not whole yet";
  blob->end(whole);
  EXPECT_EQ(streams.find(name("h.io/app:1"), whole.digest), nullptr) << "nobody waits for a thread";
  free.set_value();
}

TEST_F(Streams, AnEndedBuildStopsThem) {
  push_.holds_streams = true;
  const auto blob = std::make_shared<snapshotter::GrowingBlob>();
  oci::Descriptor whole;
  whole.digest = Digest::of("");
  blob->begin(sys::memfd("draft").value());
  blob->end(whole);
  streams_->begin(name("h.io/app:1"), blob);
  while (push_.streams == 0) {
    std::this_thread::yield();
  }
  const auto stream = streams_->find(name("h.io/other:1"), whole.digest);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->repository().repository, "app");
  EXPECT_FALSE(stream->has_ended());
  cancel_.request(make_error(ErrorKind::Cancelled, "enough"));
  EXPECT_FALSE(stream->wait([](std::uint64_t) {}));
}

TEST_F(Streams, SomeAtATimeOnly) {
  push_.holds_streams = true;
  for (int i = 0; i < 10; ++i) {
    const auto blob = std::make_shared<snapshotter::GrowingBlob>();
    oci::Descriptor whole;
    whole.digest = Digest::of("");
    blob->begin(sys::memfd("draft").value());
    blob->end(whole);
    streams_->begin(name("h.io/app:1"), blob);
  }
  while (push_.streams < 4) {
    std::this_thread::yield();
  }
  streams_.reset();
  EXPECT_EQ(push_.streams, 4);
}

}  // namespace
}  // namespace mybuild::exporter
