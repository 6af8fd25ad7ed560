// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/client.h"

#include "snapshotter/oci/media_type.h"
#include "tests/registry/fake_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>

namespace mybuild::registry {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kIndex[] =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
const std::map<std::string, std::string> kWantsToken = {
    {"www-authenticate",
     R"(Bearer realm="https://auth.example/t",service="s",scope="repository:r/x:pull")"}};

oci::Reference reference(std::string_view text) {
  return oci::Reference::parse(text).value();
}

oci::Descriptor descriptor_of(std::string_view bytes) {
  return {std::string(oci::kMediaTypeLayer), Digest::of(bytes), bytes.size(), std::nullopt, {}};
}

Error broken_connection() {
  return make_error(ErrorKind::Unavailable, "connection reset by peer");
}

TEST(Client, AsksTheRightUrlForTagsDigestsAndDockerHub) {
  const Digest digest = Digest::of(kIndex);
  const std::pair<std::string, std::string> cases[] = {
      {"busybox", "https://registry-1.docker.io/v2/library/busybox/manifests/latest"},
      {"localhost:5000/a/b:t", "http://localhost:5000/v2/a/b/manifests/t"},
      {"ghcr.io/o/r:t@" + digest.str(), "https://ghcr.io/v2/o/r/manifests/" + digest.str()},
  };
  for (const auto& [text, url] : cases) {
    FakeTransport transport({{200, kIndex, {}, {}}});
    const auto document = make_registry_client(transport)->manifest(reference(text), Cancel());
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(transport.asked[0].url, url);
    EXPECT_EQ(document->digest, digest);
    EXPECT_EQ(document->media_type, oci::kMediaTypeIndex);
    EXPECT_THAT(transport.asked[0].headers,
                Contains(HasSubstr("vnd.docker.distribution.manifest.list.v2")));
  }
}

TEST(Client, AnswersAChallengeOnceAndSendsTheTokenFromThenOn) {
  FakeTransport transport({{401, "", kWantsToken, {}},
                           {200, R"({"token":"T"})", {}, {}},
                           {200, kIndex, {}, {}},
                           {200, "blob", {}, {}}});
  const auto client = make_registry_client(transport);
  ASSERT_TRUE(client->manifest(reference("r.example/r/x"), Cancel()));
  StringSink sink;
  ASSERT_TRUE(client->blob(reference("r.example/r/x"), descriptor_of("blob"), sink, Cancel()));
  EXPECT_EQ(sink.text, "blob");
  EXPECT_THAT(transport.asked[0].headers, Not(Contains(HasSubstr("Authorization"))));
  EXPECT_THAT(transport.asked[1].headers, IsEmpty());
  EXPECT_THAT(transport.asked[2].headers, Contains("Authorization: Bearer T"));
  EXPECT_THAT(transport.asked[3].headers, Contains("Authorization: Bearer T"));
}

TEST(Client, AnExpiredTokenIsReplaced) {
  FakeTransport transport({{401, "", kWantsToken, {}},
                           {200, R"({"token":"T1"})", {}, {}},
                           {200, kIndex, {}, {}},
                           {401, "", kWantsToken, {}},
                           {200, R"({"token":"T2"})", {}, {}},
                           {200, kIndex, {}, {}}});
  const auto client = make_registry_client(transport);
  ASSERT_TRUE(client->manifest(reference("r.example/r/x"), Cancel()));
  ASSERT_TRUE(client->manifest(reference("r.example/r/x"), Cancel()));
  EXPECT_THAT(transport.asked[5].headers, Contains("Authorization: Bearer T2"));
  EXPECT_THAT(transport.asked[5].headers, Not(Contains("Authorization: Bearer T1")));
}

TEST(Client, ARegistryThatDeniesEvenWithTokenIsDenied) {
  FakeTransport transport(
      {{401, "", kWantsToken, {}},
       {200, R"({"token":"T"})", {}, {}},
       {401, R"({"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]})", kWantsToken, {}}});
  const auto document =
      make_registry_client(transport)->manifest(reference("r.example/r/x"), Cancel());
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(document.error().message(), HasSubstr("r.example/r/x:latest"));
  EXPECT_THAT(document.error().message(), HasSubstr("who are you"));
  EXPECT_THAT(document.error().hint(), HasSubstr("mybuild login r.example"));
}

TEST(Client, WhereARedirectLedIsBlamedForItsOwnDenial) {
  FakeTransport transport({{401, "", kWantsToken, {}, "https://cdn.example:8443"}});
  StringSink sink;
  const Status status = make_registry_client(transport)->blob(
      reference("r.example/r/x"), descriptor_of("blob"), sink, Cancel());
  ASSERT_FALSE(status);
  EXPECT_TRUE(transport.finished()) << "no token for somebody else";
  EXPECT_EQ(status.error().kind(), ErrorKind::Denied);
  EXPECT_THAT(status.error().message(),
              HasSubstr("cdn.example:8443, where the registry redirects to, denies access"));
  EXPECT_THAT(status.error().hint(), Not(HasSubstr("mybuild login")));
}

TEST(Client, TagsAreListedPageByPage) {
  FakeTransport transport(
      {{200,
        R"({"name":"r/x","tags":["a","b"]})",
        {{"link", R"(</v2/r/x/tags/list?last=b&n=2>; rel="next")"}},
        {}},
       {200,
        R"({"tags":["c"]})",
        {{"link", R"(<http://inner.example/v2/r/x/tags/list?last=c>; rel="next")"}},
        {}},
       {200, R"({"tags":["d"]})", {}, {}}});
  const auto tags = make_registry_client(transport)->tags(reference("r.example/r/x"), Cancel());
  ASSERT_TRUE(tags) << tags.error().message();
  EXPECT_EQ(*tags, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(transport.asked[0].url, "https://r.example/v2/r/x/tags/list");
  EXPECT_EQ(transport.asked[1].url, "https://r.example/v2/r/x/tags/list?last=b&n=2");
  EXPECT_EQ(transport.asked[2].url, "https://r.example/v2/r/x/tags/list?last=c");
}

TEST(Client, AListOfTagsMayBeEmptyButNotEndless) {
  FakeTransport none({{200, R"({"name":"r/x","tags":null})", {}, {}}});
  EXPECT_TRUE(make_registry_client(none)->tags(reference("x.io/a"), Cancel()).value().empty());
  FakeTransport circle({{200, R"({"tags":[]})", {{"link", "</v2/a/tags/list>; rel=next"}}, {}}});
  const auto tags = make_registry_client(circle)->tags(reference("x.io/a"), Cancel());
  ASSERT_FALSE(tags);
  EXPECT_THAT(tags.error().message(), HasSubstr("has no end"));
}

TEST(Client, AMissingTagIsNamed) {
  FakeTransport transport({{404, R"({"errors":[{"message":"manifest unknown"}]})", {}, {}}});
  const auto document =
      make_registry_client(transport)->manifest(reference("busybox:nope"), Cancel());
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(document.error().message(), HasSubstr("busybox:nope: not in the registry"));
}

TEST(Client, WhatMayHelpIsTriedSixTimesWhereSomebodyAnsweredElseThreeTimes) {
  const ScriptedAnswer busy{503, "", {{"retry-after", "0"}}, {}};
  FakeTransport recovers({busy, busy, {200, kIndex, {}, {}}});
  EXPECT_TRUE(make_registry_client(recovers)->manifest(reference("x.io/a"), Cancel()));
  FakeTransport stays({busy, busy, busy, busy, busy, busy});
  const auto document = make_registry_client(stays)->manifest(reference("x.io/a"), Cancel());
  EXPECT_EQ(document.error().kind(), ErrorKind::Unavailable);
  EXPECT_TRUE(stays.finished());
  const ScriptedAnswer silent{0, "", {}, make_error(ErrorKind::Unavailable, "refused")};
  FakeTransport nobody({silent, silent, silent});
  EXPECT_FALSE(make_registry_client(nobody)->manifest(reference("x.io/a"), Cancel()));
  EXPECT_TRUE(nobody.finished());
}

TEST(Client, SilenceIsWaitedForTwice) {
  const ScriptedAnswer busy{503, "", {{"retry-after", "0"}}, {}};
  const ScriptedAnswer silent{
      0, "", {}, make_error(ErrorKind::Unavailable, "too slow").with_errno(ETIMEDOUT)};
  FakeTransport nobody({silent});
  EXPECT_FALSE(make_registry_client(nobody)->manifest(reference("x.io/a"), Cancel()));
  EXPECT_TRUE(nobody.finished()) << "once where nobody ever answered";
  FakeTransport falls_silent({busy, silent, silent});
  EXPECT_FALSE(make_registry_client(falls_silent)->manifest(reference("x.io/a"), Cancel()));
  EXPECT_TRUE(falls_silent.finished());
}

TEST(Client, WhatTheRegistryAsksToWaitIsNotWaitedForWhereOnlyATagIsRefreshed) {
  FakeTransport limits({{429, "", {{"retry-after", "3600"}}, {}}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(make_registry_client(limits)->current(reference("x.io/a"), Cancel()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Client, WhatCannotHelpIsTriedOnce) {
  FakeTransport transport({{0, "", {}, make_error(ErrorKind::Denied, "certificate has expired")}});
  EXPECT_EQ(make_registry_client(transport)->manifest(reference("x.io/a"), Cancel()).error().kind(),
            ErrorKind::Denied);
}

TEST(Client, AManifestMustHaveTheDigestItWasAskedForBy) {
  FakeTransport by_digest({{200, kIndex, {}, {}}});
  const std::string other = "x.io/a@" + Digest::of("other").str();
  EXPECT_EQ(make_registry_client(by_digest)->manifest(reference(other), Cancel()).error().kind(),
            ErrorKind::DataLoss);
  FakeTransport by_tag({{200, kIndex, {{"docker-content-digest", Digest::of("other").str()}}, {}}});
  EXPECT_EQ(make_registry_client(by_tag)->manifest(reference("x.io/a"), Cancel()).error().kind(),
            ErrorKind::DataLoss);
}

TEST(Client, AnHtmlPageIsNamedForWhatItIs) {
  const std::string page = "\n<!DOCTYPE html>\n<html>log in to the wifi" + std::string(99, '.');
  for (const std::string& name : {std::string("x.io/a"), "x.io/a@" + Digest::of("a").str()}) {
    FakeTransport transport({{200, page, {{"content-type", "text/html; charset=utf-8"}}, {}}});
    const auto got = make_registry_client(transport)->manifest(reference(name), Cancel());
    EXPECT_THAT(got.error().message(), HasSubstr("x.io/a"));
    EXPECT_THAT(got.error().message(), HasSubstr("https://x.io/v2/a/manifests/"));
    EXPECT_THAT(got.error().message(), HasSubstr("answered with text/html; charset=utf-8 instead "
                                                 "of JSON: <!DOCTYPE html> <html>log in to the "
                                                 "wifi"));
    EXPECT_TRUE(got.error().message().ends_with("....…"));
    EXPECT_THAT(got.error().hint(), HasSubstr("proxy"));
  }
  FakeTransport transport({{200, "", {}, {}}});
  EXPECT_THAT(
      make_registry_client(transport)->manifest(reference("x.io/a"), Cancel()).error().message(),
      HasSubstr("answered with an unnamed content type instead of JSON: nothing"));
}

TEST(Client, ABrokenDownloadGoesOnWhereItStopped) {
  const std::string bytes = "0123456789";
  FakeTransport transport({{200, "0123", {}, broken_connection()},
                           {206, "456", {{"content-range", "bytes 4-9/10"}}, {}},
                           {200, bytes, {}, {}}});
  StringSink sink;
  ASSERT_TRUE(make_registry_client(transport)->blob(reference("x.io/a"), descriptor_of(bytes), sink,
                                                    Cancel()));
  EXPECT_EQ(sink.text, bytes);
  EXPECT_THAT(transport.asked[1].headers, Contains("Range: bytes=4-"));
  EXPECT_THAT(transport.asked[2].headers, Contains("Range: bytes=7-"));
}

TEST(Client, ADownloadThatLostOnlyItsEndIsComplete) {
  FakeTransport transport({{200, "0123", {}, broken_connection()}});
  StringSink sink;
  EXPECT_TRUE(make_registry_client(transport)->blob(reference("x.io/a"), descriptor_of("0123"),
                                                    sink, Cancel()));
}

TEST(Client, OtherBytesThanPromisedAreDataLossAndNotRetried) {
  FakeTransport transport({{200, "0124", {}, {}}});
  StringSink sink;
  const Status status = make_registry_client(transport)->blob(
      reference("x.io/a"), descriptor_of("0123"), sink, Cancel());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::DataLoss);
  EXPECT_THAT(status.error().message(), HasSubstr(Digest::of("0123").str()));
}

class FullDisk final : public Sink {
 public:
  Status write(ByteSpan) override {
    return make_error(ErrorKind::Unavailable, "no space left on device");
  }
};

TEST(Client, AFailingSinkIsNotTheRegistrysFault) {
  FakeTransport transport({{200, "0123", {}, {}}});
  FullDisk sink;
  const Status status = make_registry_client(transport)->blob(
      reference("x.io/a"), descriptor_of("0123"), sink, Cancel());
  EXPECT_THAT(status.error().message(), HasSubstr("no space left"));
  EXPECT_TRUE(transport.finished());
}

TEST(Client, ACancelEndsTheWaitForTheNextAttempt) {
  FakeTransport transport({});
  Cancel cancel;
  cancel.request(make_error(ErrorKind::Cancelled, "interrupted"));
  EXPECT_EQ(make_registry_client(transport)->manifest(reference("x.io/a"), cancel).error().kind(),
            ErrorKind::Cancelled);
}

}  // namespace
}  // namespace mybuild::registry
