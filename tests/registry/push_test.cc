// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/push.h"

#include "builder/registry/url.h"
#include "snapshotter/oci/media_type.h"
#include "tests/registry/fake_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::registry {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char kBytes[] = "bytes of a blob";
const std::string kUploads = "https://h.example/v2/r/x/blobs/uploads/";
const ScriptedAnswer kMissing = {.status = 404};
const ScriptedAnswer kBegun = {.status = 202,
                               .headers = {{"location", "/v2/r/x/blobs/uploads/1?state=s"}}};
const ScriptedAnswer kCreated = {.status = 201};

oci::Reference target() {
  return oci::Reference::parse("h.example/r/x:t").value();
}

BlobUpload upload(const std::string& mount_from = {}) {
  BlobUpload upload;
  upload.blob.digest = Digest::of(kBytes);
  upload.blob.size = sizeof kBytes - 1;
  upload.open = [](std::uint64_t offset) -> Result<std::unique_ptr<Source>> {
    return std::unique_ptr<Source>(std::make_unique<StringSource>(kBytes + offset));
  };
  upload.mount_from = mount_from;
  return upload;
}

oci::Descriptor manifest_of(const std::string& bytes) {
  oci::Descriptor descriptor;
  descriptor.media_type = oci::kMediaTypeManifest;
  descriptor.digest = Digest::of(bytes);
  descriptor.size = bytes.size();
  return descriptor;
}

TEST(Push, ABlobThatIsThereIsNotSent) {
  FakeTransport transport(std::deque<ScriptedAnswer>{{.status = 200}});
  const auto how = make_registry_push(transport)->blob(target(), upload(), Cancel());
  ASSERT_TRUE(how) << how.error().message();
  EXPECT_EQ(*how, Delivery::AlreadyThere);
  EXPECT_EQ(transport.asked[0].method, "HEAD");
  EXPECT_THAT(transport.asked[0].url, EndsWith("/v2/r/x/blobs/" + Digest::of(kBytes).str()));
}

TEST(Push, ABlobIsSentInOneRequestToWhereTheRegistrySays) {
  FakeTransport transport({kMissing, kBegun, kCreated});
  const auto how = make_registry_push(transport)->blob(target(), upload(), Cancel());
  ASSERT_TRUE(how) << how.error().message();
  EXPECT_EQ(*how, Delivery::Sent);
  EXPECT_EQ(transport.asked[1].method + " " + transport.asked[1].url, "POST " + kUploads);
  const Request& put = transport.asked[2];
  EXPECT_EQ(put.method, "PUT");
  EXPECT_EQ(put.url, "https://h.example/v2/r/x/blobs/uploads/1?state=s&digest=" +
                         percent_encode(Digest::of(kBytes).str()));
  ASSERT_TRUE(put.stream);
  EXPECT_EQ(put.stream->size, sizeof kBytes - 1);
  EXPECT_EQ(read_all(**put.stream->open(), 100).value(), kBytes);
}

TEST(Push, ABlobOfTheSameRegistryIsMounted) {
  FakeTransport transport({kMissing, kCreated});
  const auto how = make_registry_push(transport)->blob(target(), upload("r/base"), Cancel());
  ASSERT_TRUE(how);
  EXPECT_EQ(*how, Delivery::Mounted);
  EXPECT_THAT(transport.asked[1].url, HasSubstr("?mount=sha256%3A"));
  EXPECT_THAT(transport.asked[1].url, EndsWith("&from=r%2Fbase"));
}

TEST(Push, WhereItCannotBeMountedItIsSent) {
  for (const int status : {202, 401, 403, 404, 405, 500}) {
    FakeTransport transport({kMissing, {.status = status}, kBegun, kCreated});
    const auto how = make_registry_push(transport)->blob(target(), upload("r/base"), Cancel());
    ASSERT_TRUE(how) << status << ": " << how.error().message();
    EXPECT_EQ(*how, Delivery::Sent) << status;
  }
}

TEST(Push, WithoutBytesABlobIsFoundOrMountedOnly) {
  FakeTransport transport({kMissing, {.status = 202}});
  BlobUpload offer = upload("r/base");
  offer.open = nullptr;
  const auto how = make_registry_push(transport)->blob(target(), offer, Cancel());
  ASSERT_FALSE(how);
  EXPECT_EQ(how.error().kind(), ErrorKind::NotFound);
  EXPECT_TRUE(transport.finished());
}

TEST(Push, ABrokenUploadStartsOverWithANewSession) {
  const ScriptedAnswer broken = {
      .status = 201, .error = make_error(ErrorKind::Unavailable, "connection reset by peer")};
  FakeTransport transport({kMissing, kBegun, broken, kBegun, kCreated});
  const auto how = make_registry_push(transport)->blob(target(), upload(), Cancel());
  ASSERT_TRUE(how) << how.error().message();
  EXPECT_EQ(transport.asked[3].method, "POST");
  EXPECT_TRUE(transport.finished());
}

TEST(Push, WhatIsBegunEarlyIsSentWithoutAnotherQuestion) {
  FakeTransport transport({kBegun, kCreated});
  const auto push = make_registry_push(transport);
  BlobUpload late = upload();
  late.ask_first = false;
  late.begun = push->begin(target(), Cancel()).value();
  ASSERT_TRUE(push->blob(target(), late, Cancel()));
  EXPECT_EQ(transport.asked[0].method + " " + transport.asked[0].url, "POST " + kUploads);
  EXPECT_EQ(transport.asked[1].url, "https://h.example/v2/r/x/blobs/uploads/1?state=s&digest=" +
                                        percent_encode(Digest::of(kBytes).str()));
  EXPECT_TRUE(transport.finished());
}

TEST(Push, WhatWasBegunAndForgottenThereIsBegunAgain) {
  for (const int status : {400, 403, 404, 410, 416}) {
    FakeTransport transport({kBegun, {.status = status}, kBegun, kCreated});
    const auto push = make_registry_push(transport);
    BlobUpload late = upload();
    late.ask_first = false;
    late.begun = push->begin(target(), Cancel()).value();
    const auto how = push->blob(target(), late, Cancel());
    ASSERT_TRUE(how) << status << ": " << how.error().message();
    EXPECT_EQ(transport.asked[2].method, "POST");
    EXPECT_TRUE(transport.finished());
  }
}

TEST(Push, WhatIsBegunForNobodyIsForgotten) {
  FakeTransport transport({kBegun, {.status = 204}});
  const auto push = make_registry_push(transport);
  const BegunUpload begun = push->begin(target(), Cancel()).value();
  push->forget(target(), begun, Cancel());
  EXPECT_EQ(transport.asked[1].method + " " + transport.asked[1].url,
            "DELETE https://h.example/v2/r/x/blobs/uploads/1?state=s");
}

TEST(Push, AnUploadThatCannotBeBegunIsAskedForOnce) {
  FakeTransport transport(std::deque<ScriptedAnswer>{{.status = 503}});
  EXPECT_FALSE(make_registry_push(transport)->begin(target(), Cancel()));
  EXPECT_TRUE(transport.finished());
}

/// So large that it is worth going on with.
class LargePush : public testing::Test {
 protected:
  static constexpr std::uint64_t kSize = 4 << 20;

  Result<Delivery> push(std::deque<ScriptedAnswer> script) {
    script.push_front(kMissing);
    transport_ = std::make_unique<FakeTransport>(std::move(script));
    BlobUpload upload;
    upload.blob.digest = Digest::of(bytes_);
    upload.blob.size = kSize;
    upload.open = [this](std::uint64_t offset) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(
          std::make_unique<StringSource>(std::string_view(bytes_).substr(offset)));
    };
    return make_registry_push(*transport_)->blob(target(), upload, Cancel());
  }
  /// "PUT 0+4194304": method, offset and length of each request that sent bytes; others by their
  /// method.
  std::vector<std::string> story() const {
    std::vector<std::string> lines;
    for (const Request& request : transport_->asked) {
      lines.push_back(request.method);
      if (request.stream) {
        // Bytes tell where they stood: each is the 64 KiB block's number.
        const std::string part = read_all(**request.stream->open(), kSize).value();
        EXPECT_EQ(part.size(), *request.stream->size);
        lines.back() +=
            fmt::format(" {}+{}", static_cast<unsigned char>(part[0]) << 16, part.size());
      }
    }
    return lines;
  }
  static ScriptedAnswer there(std::uint64_t count) {
    return {.status = 204, .headers = {{"range", fmt::format("0-{}", count - 1)}}};
  }

  const ScriptedAnswer broken_ = {.status = 500,
                                  .error = make_error(ErrorKind::Unavailable, "reset by peer")};
  const ScriptedAnswer taken_ = {.status = 202, .headers = {{"location", "/next"}}};
  const ScriptedAnswer too_large_ = {.status = 413};
  const std::string bytes_ = [] {
    std::string bytes(kSize, 0);
    for (std::size_t i = 0; i < kSize; ++i) {
      bytes[i] = static_cast<char>(i >> 16);
    }
    return bytes;
  }();
  std::unique_ptr<FakeTransport> transport_;
};

TEST_F(LargePush, ABrokenUploadGoesOnWhereItBroke) {
  const auto how = push({kBegun, broken_, there(3 << 20), taken_, kCreated});
  ASSERT_TRUE(how) << how.error().message();
  EXPECT_THAT(story(), testing::ElementsAre("HEAD", "POST", "PUT 0+4194304", "GET",
                                            "PATCH 3145728+1048576", "PUT"));
  EXPECT_THAT(transport_->asked[4].headers, Contains("Content-Range: 3145728-4194303"));
  EXPECT_THAT(transport_->asked[5].url, testing::StartsWith("https://h.example/next?digest="));
}

TEST_F(LargePush, WhereTheSessionIsGoneItStartsOver) {
  for (const ScriptedAnswer& lost :
       {ScriptedAnswer{.status = 404}, there(1), there(kSize + 1), ScriptedAnswer{.status = 200}}) {
    const auto how = push({kBegun, broken_, lost, kBegun, kCreated});
    ASSERT_TRUE(how) << how.error().message();
    EXPECT_THAT(story(), testing::ElementsAre("HEAD", "POST", "PUT 0+4194304", "GET", "POST",
                                              "PUT 0+4194304"));
  }
}

TEST_F(LargePush, ARegistryThatWillNotGoOnGetsAllOfItAgain) {
  const auto how = push({kBegun, broken_, there(2 << 20), {.status = 416}, kBegun, kCreated});
  ASSERT_TRUE(how) << how.error().message();
  EXPECT_EQ(story().back(), "PUT 0+4194304");
  const auto wrong_bytes = push({kBegun,
                                 broken_,
                                 there(2 << 20),
                                 taken_,
                                 {.status = 400},
                                 kBegun,
                                 broken_,
                                 kBegun,
                                 kCreated});
  ASSERT_TRUE(wrong_bytes) << "what was there were other bytes; it is asked for no more";
  EXPECT_EQ(story().back(), "PUT 0+4194304");
}

TEST_F(LargePush, AnUploadThatGetsFurtherMayBreakOftenOneThatDoesNotSixTimes) {
  EXPECT_TRUE(push({kBegun, broken_, there(1 << 20), broken_, there(2 << 20), broken_,
                    there(3 << 20), broken_, there(kSize), kCreated}));
  EXPECT_EQ(story().back(), "PUT") << "all was there";
  EXPECT_FALSE(push({kBegun, broken_, there(1000), broken_, there(1001), broken_, there(1002),
                     broken_, there(1003), broken_, there(1004), broken_}));
  EXPECT_TRUE(transport_->finished());
}

TEST_F(LargePush, WhatIsTooLargeForOneBodyGoesInPieces) {
  const ScriptedAnswer empty = {.status = 204, .headers = {{"range", "0-0"}}};
  const auto how = push({kBegun, too_large_, empty, kBegun, taken_, taken_, kCreated});
  ASSERT_TRUE(how) << how.error().message();
  EXPECT_THAT(story(), testing::ElementsAre("HEAD", "POST", "PUT 0+4194304", "GET", "POST",
                                            "PATCH 0+2097152", "PATCH 2097152+2097152", "PUT"));
}

TEST_F(LargePush, PiecesBecomeSmallerButNotSmallerThanTheRegistryWants) {
  const ScriptedAnswer gone = {.status = 404};
  EXPECT_FALSE(push({kBegun, too_large_, gone, kBegun, too_large_, gone, kBegun, too_large_}));
  EXPECT_EQ(story().back(), "PATCH 0+524288");
  ScriptedAnswer wish = kBegun;
  wish.headers["oci-chunk-min-length"] = "3000000";
  const auto how = push({wish, too_large_});
  ASSERT_FALSE(how);
  EXPECT_THAT(how.error().message(), HasSubstr("413"));
}

/// What is sent while it is made.
class StreamedPush : public testing::Test {
 protected:
  Status push(std::deque<ScriptedAnswer> script, const Cancel& stop, const Cancel& cancel) {
    transport_ = std::make_unique<FakeTransport>(std::move(script));
    const BlobStream stream{.open = [] { return upload().open(0); },
                            .blob = [this]() -> Result<oci::Descriptor> {
                              return is_whole_ ? Result(upload().blob)
                                               : make_error(ErrorKind::Cancelled, "not finished");
                            }};
    return make_registry_push(*transport_)->stream(target(), stream, stop, cancel);
  }
  Status push(std::deque<ScriptedAnswer> script) { return push(std::move(script), stop_, stop_); }
  std::string last_method() const { return transport_->asked.back().method; }

  const ScriptedAnswer taken_ = {
      .status = 202,
      .headers = {{"location", "/v2/r/x/blobs/uploads/1?state=t"}, {"range", "0-14"}}};
  const ScriptedAnswer dropped_ = {.status = 204};
  bool is_whole_ = true;
  Cancel stop_;
  std::unique_ptr<FakeTransport> transport_;
};

TEST_F(StreamedPush, ABodyWithoutALengthIsNamedAtItsEnd) {
  ASSERT_TRUE(push({kBegun, taken_, kCreated}));
  const Request& patch = transport_->asked[1];
  EXPECT_EQ(patch.method + " " + patch.url, "PATCH " + kUploads + "1?state=s");
  ASSERT_TRUE(patch.stream);
  EXPECT_EQ(patch.stream->size, std::nullopt);
  EXPECT_EQ(read_all(**patch.stream->open(), 100).value(), kBytes);
  EXPECT_EQ(transport_->asked[2].method + " " + transport_->asked[2].url,
            "PUT " + kUploads + "1?state=t&digest=" + percent_encode(Digest::of(kBytes).str()));
}

TEST_F(StreamedPush, WhatFailsIsNotTriedAgainButForgottenThere) {
  const ScriptedAnswer broken = {.status = 202,
                                 .error = make_error(ErrorKind::Unavailable, "reset by peer")};
  const ScriptedAnswer fewer = {.status = 202, .headers = {{"range", "0-13"}}};
  const std::vector<std::deque<ScriptedAnswer>> stories = {
      {kBegun, {.status = 405}, dropped_},
      {kBegun, {.status = 503}, dropped_},
      {kBegun, broken, dropped_},
      {kBegun, fewer, dropped_},
      {kBegun, taken_, {.status = 400}, dropped_},
      {kBegun, {.status = 202, .headers = {{"location", "http://h.example/u"}}}, dropped_}};
  for (const std::deque<ScriptedAnswer>& story : stories) {
    EXPECT_FALSE(push(story));
    EXPECT_EQ(last_method(), "DELETE");
    EXPECT_TRUE(transport_->finished());
  }
  EXPECT_FALSE(push({{.status = 503}})) << "there is no session to forget";
  EXPECT_EQ(transport_->asked.size(), 1U);
}

TEST_F(StreamedPush, WhatBecameNoBlobGetsNoName) {
  is_whole_ = false;
  EXPECT_FALSE(push({kBegun, taken_, dropped_}));
  EXPECT_EQ(last_method(), "DELETE");
}

TEST_F(StreamedPush, ACancelledBuildAsksNothingMore) {
  stop_.request(make_error(ErrorKind::Cancelled, "enough"));
  EXPECT_FALSE(push({}, stop_, stop_));
  EXPECT_TRUE(transport_->asked.empty());
}

TEST(Push, ARegistryThatStaysAwayIsAnErrorAfterSixAttempts) {
  const ScriptedAnswer busy = {.status = 503, .headers = {{"retry-after", "0"}}};
  FakeTransport transport({kMissing, busy, busy, busy, busy, busy, busy});
  const auto how = make_registry_push(transport)->blob(target(), upload(), Cancel());
  ASSERT_FALSE(how);
  EXPECT_EQ(how.error().kind(), ErrorKind::Unavailable);
  EXPECT_THAT(how.error().message(), HasSubstr("h.example/r/x@" + Digest::of(kBytes).str()));
}

TEST(Push, ASessionThatTheRegistryLostIsBegunAgainSomeTimes) {
  FakeTransport lost({kMissing, kBegun, kMissing, kBegun, kMissing, kBegun, kCreated});
  EXPECT_TRUE(make_registry_push(lost)->blob(target(), upload(), Cancel()));
  std::deque<ScriptedAnswer> script{kMissing};
  for (int i = 0; i < 6; ++i) {
    script.insert(script.end(), {kBegun, kMissing});
  }
  FakeTransport always(std::move(script));
  EXPECT_FALSE(make_registry_push(always)->blob(target(), upload(), Cancel()));
  EXPECT_TRUE(always.finished());
}

TEST(Push, ARefusalIsSaidInTheRegistrysWords) {
  FakeTransport transport(
      {kMissing, kBegun, {.status = 400, .body = R"({"errors":[{"message":"digest invalid"}]})"}});
  const auto how = make_registry_push(transport)->blob(target(), upload(), Cancel());
  ASSERT_FALSE(how);
  EXPECT_THAT(how.error().message(), HasSubstr("digest invalid"));
  EXPECT_TRUE(transport.finished()) << "no second attempt";
}

TEST(Push, ARegistryThatStoredOtherBytesIsNotBelieved) {
  const std::string other = Digest::of("other").str();
  FakeTransport blob(
      {kMissing, kBegun, {.status = 201, .headers = {{"docker-content-digest", other}}}});
  const auto how = make_registry_push(blob)->blob(target(), upload(), Cancel());
  ASSERT_FALSE(how);
  EXPECT_EQ(how.error().kind(), ErrorKind::DataLoss);
  FakeTransport manifest(
      std::deque<ScriptedAnswer>{{.status = 201, .headers = {{"docker-content-digest", other}}}});
  const Status put =
      make_registry_push(manifest)->manifest(target(), manifest_of("{}"), "{}", Cancel());
  ASSERT_FALSE(put);
  EXPECT_THAT(put.error().message(), HasSubstr(other));
}

TEST(Push, TheUploadNeverLeavesTls) {
  for (const char* location : {"http://h.example/u", "ftp://h.example/u", "", "u/1"}) {
    FakeTransport transport({kMissing, {.status = 202, .headers = {{"location", location}}}});
    const auto how = make_registry_push(transport)->blob(target(), upload(), Cancel());
    EXPECT_FALSE(how) << location;
    EXPECT_TRUE(transport.finished()) << location;
  }
}

TEST(Push, ATokenGoesToTheRegistryOnly) {
  const ScriptedAnswer wants_token = {
      .status = 401,
      .headers = {{"www-authenticate", R"(Bearer realm="https://auth.example/t",service="s")"}}};
  FakeTransport transport({wants_token,
                           {.body = R"({"token":"T"})"},
                           kMissing,
                           {.status = 202, .headers = {{"location", "https://store.example/u"}}},
                           kCreated});
  ASSERT_TRUE(make_registry_push(transport)->blob(target(), upload(), Cancel()));
  EXPECT_THAT(transport.asked[1].url, HasSubstr("scope=repository%3Ar%2Fx%3Apull%2Cpush"));
  EXPECT_THAT(transport.asked[3].headers, Contains("Authorization: Bearer T"));
  EXPECT_EQ(transport.asked[4].url.substr(0, 24), "https://store.example/u?");
  EXPECT_THAT(transport.asked[4].headers, Not(Contains("Authorization: Bearer T")));
}

TEST(Push, CredentialsThatWeDoNotHaveAreAClearError) {
  const ScriptedAnswer basic = {.status = 401,
                                .headers = {{"www-authenticate", R"(Basic realm="r")"}}};
  FakeTransport transport(std::deque<ScriptedAnswer>{basic});
  const auto current = make_registry_push(transport)->current(target(), Cancel());
  ASSERT_FALSE(current);
  EXPECT_EQ(current.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(current.error().message(), HasSubstr("h.example wants a login"));
}

TEST(Push, AManifestIsPutUnderItsTagOrItsDigest) {
  FakeTransport transport({kCreated, kCreated});
  const auto push = make_registry_push(transport);
  ASSERT_TRUE(push->manifest(target(), manifest_of("{}"), "{}", Cancel()));
  EXPECT_EQ(transport.asked[0].url, "https://h.example/v2/r/x/manifests/t");
  EXPECT_EQ(transport.asked[0].body, "{}");
  EXPECT_THAT(transport.asked[0].headers,
              Contains("Content-Type: application/vnd.oci.image.manifest.v1+json"));
  oci::Reference untagged = target();
  untagged.tag.clear();
  ASSERT_TRUE(push->manifest(untagged, manifest_of("{}"), "{}", Cancel()));
  EXPECT_THAT(transport.asked[1].url, EndsWith("/manifests/" + Digest::of("{}").str()));
}

TEST(Push, WhatATagNamesIsAskedForWithoutABody) {
  FakeTransport transport(
      {{.status = 200, .headers = {{"docker-content-digest", Digest::of("{}").str()}}}, kMissing});
  const auto push = make_registry_push(transport);
  EXPECT_EQ(push->current(target(), Cancel()).value(), Digest::of("{}"));
  EXPECT_FALSE(push->current(target(), Cancel()).value());
  EXPECT_EQ(transport.asked[0].method, "HEAD");
}

TEST(Url, LocationsLeadFromWhereTheyWereFound) {
  const std::string base = "https://h.example:5000/v2/x/";
  EXPECT_EQ(resolve_location(base, "https://o.example/u?a=b"), "https://o.example/u?a=b");
  EXPECT_EQ(resolve_location(base, "/v2/u"), "https://h.example:5000/v2/u");
  EXPECT_EQ(resolve_location(base, "//o.example/u"), "https://o.example/u");
  EXPECT_EQ(resolve_location(base, "/v2/u?next=http://x"),
            "https://h.example:5000/v2/u?next=http://x");
  for (const char* bad : {"", "u", "ftp://h/u", "https://user@h/u"}) {
    EXPECT_EQ(resolve_location(base, bad), "") << bad;
  }
  EXPECT_EQ(with_query("https://h/u", "d", "a:b"), "https://h/u?d=a%3Ab");
  EXPECT_EQ(with_query("https://h/u?s=1", "d", "a"), "https://h/u?s=1&d=a");
}

}  // namespace
}  // namespace mybuild::registry
