// SPDX-License-Identifier: Apache-2.0
// Builds and commands that fetch the same at the same time, each with services of its own over one
// store.
#include "builder/source/image_importer.h"
#include "snapshotter/content/local_store.h"
#include "tests/source/fakes.h"
#include "tests/source/test_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace mybuild::source {
namespace {

using testing::UnorderedElementsAre;

const solver::VertexId kVertex{Digest::of("vertex")};
const oci::Platform kAmd64{"linux", "amd64", "", ""};

class FetchedOnce : public testing::Test {
 protected:
  Status pull(const std::string& name, const Cancel& cancel) {
    Lanes lanes{Lanes::Caps{}};
    ImageImporter importer(
        {registry_, *content_, layers_, metadata_, lanes, events_, cancel, clock_, &claims_});
    TRY(importer.pull(oci::Reference::parse(name).value(), kAmd64, kVertex));
    return {};
  }
  void push(const std::string& name, const std::vector<std::string>& layers) {
    const TestImage image = make_image(layers, "linux/amd64", registry_.blobs);
    registry_.tags["docker.io/library/" + name + ":latest"] = image.descriptor.digest;
  }
  std::vector<Digest> layers_asked_for() {
    std::vector<Digest> layers;
    for (const Digest& digest : registry_.blob_requests) {
      if (registry_.blobs.at(digest).size() == 1) {  // the others are configs
        layers.push_back(digest);
      }
    }
    return layers;
  }

  TempDir dir_ = TempDir::create().value();
  const snapshotter::Claims claims_{dir_.path()};
  FakeRegistry registry_;
  std::unique_ptr<snapshotter::ContentStore> content_ =
      snapshotter::make_local_content_store(dir_.path() + "/content").value();
  FakeLayerStore layers_;
  FakeMetadata metadata_;
  RecordedEvents events_;
  Cancel cancel_;
  FixedClock clock_{Time{}};
};

TEST_F(FetchedOnce, EqualPullsAndOverlappingOnesShareLayers) {
  push("one", {"1", "2", "3"});
  push("two", {"1", "2", "4"});
  registry_.on_blob = [](const oci::Descriptor&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return Status();
  };
  std::vector<std::thread> pulls;
  for (const char* name : {"one", "two", "one", "two", "one"}) {
    pulls.emplace_back([this, name] {
      const Status pulled = pull(name, cancel_);
      EXPECT_TRUE(pulled) << pulled.error().message();
    });
  }
  for (std::thread& each : pulls) {
    each.join();
  }
  const auto once =
      UnorderedElementsAre(Digest::of("1"), Digest::of("2"), Digest::of("3"), Digest::of("4"));
  EXPECT_THAT(layers_asked_for(), once);
  EXPECT_THAT(layers_.unpacked, once);
}

TEST_F(FetchedOnce, WhoFailsLeavesTheRestToTheNextOne) {
  push("one", {"1", "2"});
  std::atomic<int> failures{1};
  registry_.on_blob = [&](const oci::Descriptor& blob) -> Status {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const bool fails = blob.digest == Digest::of("2") && failures-- > 0;
    return fails ? Status(make_error(ErrorKind::Unavailable, "reset")) : Status();
  };
  std::atomic<int> good{0};
  std::vector<std::thread> pulls;
  for (int i = 0; i < 3; ++i) {
    pulls.emplace_back([&] { good += pull("one", cancel_) ? 1 : 0; });
  }
  for (std::thread& each : pulls) {
    each.join();
  }
  EXPECT_GE(good, 2);
  EXPECT_THAT(layers_.unpacked, UnorderedElementsAre(Digest::of("1"), Digest::of("2")));
}

TEST_F(FetchedOnce, ACancelEndsTheWait) {
  push("one", {"1"});
  const auto theirs = claims_.try_take({snapshotter::Claims::layer(Digest::of("1"))}).value();
  ASSERT_TRUE(theirs);
  std::thread stopper([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel_.request(Error(ErrorKind::Cancelled, "interrupted"));
  });
  const Status pulled = pull("one", cancel_);
  stopper.join();
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind(), ErrorKind::Cancelled);
}

TEST_F(FetchedOnce, ABlobThatOthersFetchIsWaitedFor) {
  push("one", {"1"});
  auto theirs = claims_.try_take({snapshotter::Claims::blob(Digest::of("1"))}).value();
  ASSERT_TRUE(theirs);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(content_->put("1"));
    theirs.reset();
  });
  EXPECT_TRUE(pull("one", cancel_));
  other.join();
  EXPECT_TRUE(layers_asked_for().empty());
}

}  // namespace
}  // namespace mybuild::source
