// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_resolver.h"

#include "snapshotter/content/local_store.h"
#include "tests/source/fakes.h"
#include "tests/source/test_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

namespace mybuild::source {
namespace {

using frontend::ImageRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const solver::VertexId kVertex{Digest::of("vertex")};

ImageRequest request(const std::string& name, const std::string& platform = "linux/amd64") {
  return {oci::Reference::parse(name).value(), name, oci::parse_platform(platform).value()};
}

class Resolve : public testing::Test {
 protected:
  /// One per build, as the engine does.
  std::unique_ptr<ImageResolver> build(bool pull = false) {
    return make_image_resolver(
        {registry_, *content_, layers_, metadata_, lanes_, events_, cancel_, clock_, pull});
  }
  frontend::ImageMeta resolve(ImageResolver& resolver, const ImageRequest& asked) {
    auto answer = std::move(resolver.resolve({asked})[0]);
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? *answer : frontend::ImageMeta{};
  }
  /// An image in the registry, under a tag.
  TestImage push(const std::string& name, const std::vector<std::string>& layers) {
    TestImage image = make_image(layers, "linux/amd64", registry_.blobs);
    registry_.tags[name] = image.descriptor.digest;
    return image;
  }
  int requests() {
    return registry_.manifest_requests + static_cast<int>(registry_.blob_requests.size());
  }

  TempDir dir_ = TempDir::create().value();
  FakeRegistry registry_;
  std::unique_ptr<snapshotter::ContentStore> content_ =
      snapshotter::make_local_content_store(dir_.path() + "/content").value();
  FakeLayerStore layers_;
  FakeMetadata metadata_;
  RecordedEvents events_;
  Cancel cancel_;
  FixedClock clock_{Time{}};
  Lanes lanes_{Lanes::Caps{}};
};

TEST_F(Resolve, AnImageOfTheRegistryIsFoundWithItsLayers) {
  const TestImage image = push("docker.io/library/app:latest", {"1", "2"});
  const auto resolver = build();
  const frontend::ImageMeta meta = resolve(*resolver, request("app"));
  EXPECT_EQ(meta.id, image.descriptor.digest);
  EXPECT_EQ(meta.config, image.config);
  const auto layers = resolver->layers(meta.id).value();
  ASSERT_THAT(layers, SizeIs(2));
  EXPECT_EQ(layers[1].diff_id, Digest::of("2"));
  EXPECT_EQ(layers[1].blob->digest, Digest::of("2"));
}

TEST_F(Resolve, TheNetworkIsShownAsAVertex) {
  push("docker.io/library/app:latest", {"1"});
  resolve(*build(), request("app"));
  const auto started = events_.all<solver::VertexStarted>();
  ASSERT_THAT(started, SizeIs(1));
  EXPECT_EQ(started[0].name, "[internal] load metadata for docker.io/library/app:latest");
  ASSERT_THAT(events_.all<solver::VertexDone>(), SizeIs(1));
  EXPECT_FALSE(events_.all<solver::VertexDone>()[0].error);
  EXPECT_FALSE(build()->resolve({request("nope")})[0]);
  EXPECT_TRUE(events_.all<solver::VertexDone>()[1].error);
}

TEST_F(Resolve, TheSecondBuildAsksWhatATagIsNowAndNothingElse) {
  push("docker.io/library/app:latest", {"1"});
  const frontend::ImageMeta first = resolve(*build(), request("app"));
  const int before = requests();
  const frontend::ImageMeta second = resolve(*build(), request("app"));
  EXPECT_EQ(requests(), before);
  EXPECT_EQ(registry_.current_requests, 1);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.config, first.config);
}

TEST_F(Resolve, ATagThatMovedIsTheNewImage) {
  push("docker.io/library/app:latest", {"1"});
  resolve(*build(), request("app"));
  const TestImage moved = push("docker.io/library/app:latest", {"2"});
  EXPECT_EQ(resolve(*build(), request("app")).id, moved.descriptor.digest);
}

TEST_F(Resolve, WhoIsOfflineBuildsOnWhatTheTagWasWithAWarning) {
  const TestImage image = push("docker.io/library/app:latest", {"1"});
  resolve(*build(), request("app"));
  registry_.down = true;
  EXPECT_EQ(resolve(*build(), request("app")).id, image.descriptor.digest);
  ASSERT_THAT(events_.all<solver::Warning>(), SizeIs(1));
  EXPECT_FALSE(build(/*pull=*/true)->resolve({request("app")})[0]);
}

TEST_F(Resolve, ATagThatIsGoneIsAnError) {
  push("docker.io/library/app:latest", {"1"});
  resolve(*build(), request("app"));
  registry_.tags.clear();
  const auto answer = build()->resolve({request("app")});
  ASSERT_FALSE(answer[0]);
  EXPECT_EQ(answer[0].error().kind(), ErrorKind::NotFound);
}

TEST_F(Resolve, ANameWithoutARegistryIsLookedForWhereTheMachineSays) {
  registry_.meanings = {oci::Reference::parse("a.example/app").value(),
                        oci::Reference::parse("b.example/app").value()};
  const TestImage hub = push("docker.io/library/app:latest", {"hub"});
  const TestImage image = push("b.example/app:latest", {"b"});
  EXPECT_EQ(resolve(*build(), request("app")).id, image.descriptor.digest);
  EXPECT_EQ(resolve(*build(), request("docker.io/library/app")).id, hub.descriptor.digest);
  registry_.down = true;
  EXPECT_EQ(build()->resolve({request("app")})[0].error().kind(), ErrorKind::Unavailable)
      << "the first place may have it by now";
}

TEST_F(Resolve, LostDocumentsAreFetchedAgain) {
  const TestImage image = push("docker.io/library/app:latest", {"1"});
  resolve(*build(), request("app"));
  ASSERT_TRUE(content_->remove(image.manifest.config.digest));
  resolve(*build(), request("app"));
  EXPECT_TRUE(content_->read(image.manifest.config.digest));
}

TEST_F(Resolve, ADigestIsAskedForOnce) {
  const TestImage old_image = push("docker.io/library/app:latest", {"1"});
  const std::string exact = "app@" + old_image.descriptor.digest.str();
  resolve(*build(), request(exact));
  registry_.down = true;
  EXPECT_EQ(resolve(*build(/*pull=*/true), request(exact)).id, old_image.descriptor.digest);
}

TEST_F(Resolve, ThePlatformOfAnIndexIsChosen) {
  const TestImage amd = make_image({"a"}, "linux/amd64", registry_.blobs);
  const TestImage arm = make_image({"b"}, "linux/arm64", registry_.blobs);
  registry_.tags["docker.io/library/app:latest"] =
      make_index({amd.descriptor, arm.descriptor}, registry_.blobs).digest;
  const auto answers = build()->resolve(
      {request("app", "linux/arm64"), request("app"), request("app", "linux/s390x")});
  EXPECT_EQ(answers[0]->id, arm.descriptor.digest);
  EXPECT_EQ(answers[1]->id, amd.descriptor.digest);
  ASSERT_FALSE(answers[2]);
  EXPECT_THAT(answers[2].error().message(), HasSubstr("app:latest: no image for linux/s390x"));
  EXPECT_THAT(answers[2].error().hint(), HasSubstr("linux/amd64, linux/arm64"));
}

TEST_F(Resolve, EqualRequestsAreAskedOnceAndEachGetsItsAnswer) {
  push("docker.io/library/app:latest", {"1"});
  const auto answers = build()->resolve({request("app"), request("none"), request("app:latest")});
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(answers[1].error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(answers[2]->id, answers[0]->id);
  EXPECT_EQ(registry_.manifest_requests, 2);
}

TEST_F(Resolve, AnImageOfTheLocalStoreNeedsNoRegistry) {
  Blobs blobs;
  const TestImage image = make_image({"1", "2"}, "linux/amd64", blobs);
  ASSERT_TRUE(content_->put(image.config_text));
  ASSERT_TRUE(
      metadata_.put_image({"docker.io/library/mine:latest", Digest::of(image.config_text), 0, 0}));
  metadata_.known_layers[Digest::of("1")] = {Digest::of("1"), Digest::of("changes"), 7, 0};
  layers_.present = {Digest::of("1"), Digest::of("2")};
  const auto resolver = build();
  const frontend::ImageMeta meta = resolve(*resolver, request("mine"));
  EXPECT_EQ(meta.id, Digest::of(image.config_text));
  EXPECT_EQ(resolver->layers(meta.id).value()[0].changes, Digest::of("changes"));
  EXPECT_TRUE(resolver->fetch_trees(meta.id, kVertex));
  EXPECT_TRUE(resolver->fetch_blobs(meta.id, kVertex));
  EXPECT_EQ(requests(), 0);
  EXPECT_THAT(events_.all<solver::VertexStarted>(), IsEmpty());
  const auto newer = build(/*pull=*/true)->resolve({request("mine")});
  ASSERT_FALSE(newer[0]);
  EXPECT_THAT(newer[0].error().hint(), HasSubstr("which --pull passes by"));
}

TEST_F(Resolve, ALocalImageOfAnotherPlatformIsPassedOver) {
  Blobs blobs;
  const TestImage arm = make_image({"1"}, "linux/arm64", blobs);
  ASSERT_TRUE(content_->put(arm.config_text));
  ASSERT_TRUE(
      metadata_.put_image({"docker.io/library/app:latest", Digest::of(arm.config_text), 0, 0}));
  const TestImage amd = push("docker.io/library/app:latest", {"2"});
  EXPECT_EQ(resolve(*build(), request("app")).id, amd.descriptor.digest);
}

TEST_F(Resolve, AnArtifactThatIsNoImageIsRefused) {
  TestImage image = make_image({"1"}, "linux/amd64", registry_.blobs);
  image.manifest.layers.push_back(image.manifest.layers[0]);
  const std::string text = dump(image.manifest);
  registry_.blobs[Digest::of(text)] = text;
  registry_.tags["docker.io/library/app:latest"] = Digest::of(text);
  const auto answer = std::move(build()->resolve({request("app")})[0]);
  EXPECT_THAT(answer.error().message(), HasSubstr("the manifest has 2 layers, its config names 1"));
}

TEST_F(Resolve, ALayoutIsReadInPlace) {
  Blobs blobs;
  const TestImage image = make_image({"one", "two"}, "linux/amd64", blobs);
  write_layout(dir_.path() + "/layout", {image.descriptor}, blobs);
  const auto resolver = build();
  const ImageRequest asked{frontend::LayoutContext{dir_.path() + "/layout", "", std::nullopt},
                           "base", image.config.platform};
  const frontend::ImageMeta meta = resolve(*resolver, asked);
  EXPECT_EQ(meta.config, image.config);
  const Status status = resolver->fetch_trees(meta.id, kVertex);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_THAT(layers_.unpacked, UnorderedElementsAre(Digest::of("one"), Digest::of("two")));
  EXPECT_EQ(requests(), 0);
}

class Fetch : public Resolve {};

TEST_F(Fetch, MissingTreesAreDownloadedUnpackedAndRemembered) {
  push("docker.io/library/app:latest", {"1", "2", "3"});
  layers_.present.insert(Digest::of("2"));
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  registry_.blob_requests.clear();
  const Status status = resolver->fetch_trees(id, kVertex);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_THAT(registry_.blob_requests, UnorderedElementsAre(Digest::of("1"), Digest::of("3")));
  EXPECT_THAT(layers_.unpacked, UnorderedElementsAre(Digest::of("1"), Digest::of("3")));
  EXPECT_EQ(layers_.originals.size(), 2u);
  EXPECT_TRUE(content_->read(Digest::of("3")));
}

TEST_F(Fetch, PresentTreesNeedNothing) {
  push("docker.io/library/app:latest", {"1"});
  layers_.present.insert(Digest::of("1"));
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  registry_.down = true;
  EXPECT_TRUE(resolver->fetch_trees(id, kVertex));
}

TEST_F(Fetch, BlobsOfTheContentStoreAreUsedBeforeTheRegistry) {
  push("docker.io/library/app:latest", {"1"});
  ASSERT_TRUE(content_->put("1"));
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  registry_.down = true;
  EXPECT_TRUE(resolver->fetch_trees(id, kVertex));
}

TEST_F(Fetch, AllLayersAreDownloadedAtOnce) {
  push("docker.io/library/app:latest", {"1", "2", "3", "4"});
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  std::barrier together(4);  // passes only when four downloads run
  registry_.on_blob = [&](const oci::Descriptor&) {
    together.arrive_and_wait();
    return Status();
  };
  EXPECT_TRUE(resolver->fetch_trees(id, kVertex));
}

TEST_F(Fetch, ALayerIsUnpackedWhileAnotherIsStillOnItsWay) {
  push("docker.io/library/app:latest", {"slow", "fast"});
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  registry_.on_blob = [&](const oci::Descriptor& blob) -> Status {
    for (int i = 0; blob.digest == Digest::of("slow") && i < 1000; ++i) {
      {
        const std::lock_guard lock(layers_.mutex);
        if (!layers_.unpacked.empty()) {
          return {};
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {};
  };
  ASSERT_TRUE(resolver->fetch_trees(id, kVertex));
  EXPECT_THAT(layers_.unpacked, ElementsAre(Digest::of("fast"), Digest::of("slow")));
}

TEST_F(Fetch, ConcurrentCallsShareTheWorkEvenWithOneThreadPerLane) {
  Lanes narrow({.exec = 1, .net = 1, .disk = 1});
  push("docker.io/library/one:latest", {"shared", "1"});
  push("docker.io/library/two:latest", {"shared", "2"});
  const auto resolver = make_image_resolver(
      {registry_, *content_, layers_, metadata_, narrow, events_, cancel_, clock_, false});
  const auto metas = resolver->resolve({request("one"), request("two")});
  registry_.blob_requests.clear();
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      done += resolver->fetch_trees(metas[static_cast<std::size_t>(i % 2)]->id, kVertex) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(done, 6);
  EXPECT_THAT(registry_.blob_requests, SizeIs(3));
}

TEST_F(Fetch, ProgressTellsBytesPerLayer) {
  push("docker.io/library/app:latest", {"12345"});
  const auto resolver = build();
  ASSERT_TRUE(resolver->fetch_trees(resolve(*resolver, request("app")).id, kVertex));
  const auto progress = events_.all<solver::Progress>();
  const auto last = [&](const std::string& item) {
    solver::Progress found;
    for (const solver::Progress& one : progress) {
      found = one.item == item ? one : found;
    }
    return found;
  };
  const solver::Progress download = last(Digest::of("12345").str());
  EXPECT_EQ(download.vertex, kVertex);
  EXPECT_EQ(download.current, 5u);
  EXPECT_EQ(download.total, 5u);
  EXPECT_TRUE(download.done);
  EXPECT_TRUE(last("extracting " + Digest::of("12345").str()).done);
}

TEST_F(Fetch, AFailedDownloadNamesTheImageAndCanBeTriedAgain) {
  push("docker.io/library/app:latest", {"1", "2"});
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  registry_.down = true;
  const Status status = resolver->fetch_trees(id, kVertex);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("app:latest: "));
  registry_.down = false;
  EXPECT_TRUE(resolver->fetch_trees(id, kVertex));
}

TEST_F(Fetch, WrongBytesNeverStay) {
  const TestImage image = push("docker.io/library/app:latest", {"1"});
  registry_.blobs[Digest::of("1")] = "X";
  const auto resolver = build();
  EXPECT_EQ(resolver->fetch_trees(resolve(*resolver, request("app")).id, kVertex).error().kind(),
            ErrorKind::DataLoss);
  EXPECT_FALSE(content_->read(Digest::of("1")));
  EXPECT_THAT(layers_.originals, IsEmpty());
}

/// An image whose config lies about what its layer unpacks to.
TestImage lying_image(Blobs& blobs) {
  TestImage image = make_image({"1"}, "linux/amd64", blobs);
  image.config.diff_ids[0] = Digest::of("something else");
  image.config_text = dump(image.config);
  image.manifest.config = descriptor_of(oci::kMediaTypeConfig, image.config_text);
  image.manifest_text = dump(image.manifest);
  image.descriptor = descriptor_of(oci::kMediaTypeManifest, image.manifest_text);
  blobs[Digest::of(image.config_text)] = image.config_text;
  blobs[image.descriptor.digest] = image.manifest_text;
  return image;
}

TEST_F(Fetch, ALyingConfigTeachesTheStoreNothing) {
  registry_.tags["docker.io/library/app:latest"] = lying_image(registry_.blobs).descriptor.digest;
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  EXPECT_EQ(resolver->fetch_trees(id, kVertex).error().kind(), ErrorKind::DataLoss);
  EXPECT_EQ(resolver->fetch_blobs(id, kVertex).error().kind(), ErrorKind::DataLoss);
  EXPECT_THAT(layers_.originals, IsEmpty());
}

TEST_F(Fetch, BlobsAreFetchedWithoutTreesForExport) {
  push("docker.io/library/app:latest", {"1", "2"});
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  ASSERT_TRUE(resolver->fetch_blobs(id, kVertex));
  EXPECT_THAT(layers_.unpacked, IsEmpty());
  EXPECT_EQ(layers_.originals.at(Digest::of("2")).digest, Digest::of("2"));
  registry_.down = true;
  EXPECT_TRUE(resolver->fetch_blobs(id, kVertex));
  EXPECT_TRUE(resolver->fetch_trees(id, kVertex));
}

TEST_F(Fetch, AForeignLayerIsTakenWhereTheRegistryHasIt) {
  TestImage image = make_image({"1", "2"}, "linux/amd64", registry_.blobs);
  image.manifest.layers[0].media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  image.manifest.layers[1].media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar";
  const std::string text = dump(image.manifest);
  registry_.blobs[Digest::of(text)] = text;
  registry_.tags["docker.io/library/app:latest"] = Digest::of(text);
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  const std::string blob = registry_.blobs.extract(Digest::of("1")).mapped();
  const Status missing = resolver->fetch_trees(id, kVertex);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(missing.error().hint(), HasSubstr("foreign layer"));
  registry_.blobs[Digest::of("1")] = blob;
  EXPECT_TRUE(resolver->fetch_trees(id, kVertex));
  EXPECT_EQ(layers_.originals.at(Digest::of("1")).media_type, image.manifest.layers[0].media_type);
}

TEST_F(Fetch, LayersOfUnknownKindsAreRefusedByName) {
  TestImage image = make_image({"1"}, "linux/amd64", registry_.blobs);
  image.manifest.layers[0].media_type = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
  const std::string text = dump(image.manifest);
  registry_.blobs[Digest::of(text)] = text;
  registry_.tags["docker.io/library/app:latest"] = Digest::of(text);
  const auto resolver = build();
  const Status status = resolver->fetch_trees(resolve(*resolver, request("app")).id, kVertex);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::Unsupported);
  EXPECT_THAT(status.error().message(), HasSubstr("tar+gzip+encrypted"));
  EXPECT_THAT(status.error().message(), HasSubstr(Digest::of("1").str()));
}

TEST_F(Fetch, ACancelledBuildFetchesNothing) {
  push("docker.io/library/app:latest", {"1"});
  const auto resolver = build();
  const Digest id = resolve(*resolver, request("app")).id;
  cancel_.request(make_error(ErrorKind::Cancelled, "interrupted"));
  EXPECT_EQ(resolver->fetch_trees(id, kVertex).error().kind(), ErrorKind::Cancelled);
}

TEST_F(Fetch, AnUnknownImageIsABugOfTheCaller) {
  EXPECT_EQ(build()->fetch_trees(Digest::of("?"), kVertex).error().kind(), ErrorKind::Internal);
}

}  // namespace
}  // namespace mybuild::source
