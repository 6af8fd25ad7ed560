// SPDX-License-Identifier: Apache-2.0
// Distribution spec 1.1: end-2 (GET, HEAD), end-10 (DELETE).
#include "builder/cache_server/registry/byte_range.h"
#include "tests/cache_server/registry_fixture.h"

#include <fmt/core.h>

namespace mybuild::cache_server {
namespace {

std::string blob_at(const std::string& name, const Digest& digest) {
  return fmt::format("/v2/{}/blobs/{}", name, digest.str());
}

class RegistryBlobs : public RegistryFixture {
 protected:
  Reply get(const Digest& digest, const Headers& headers = {}) {
    return ask("GET", blob_at("team/main/app", digest), "", headers);
  }
};

TEST_F(RegistryBlobs, AreGotWhole) {
  const Digest digest = push_blob("0123456789");
  const Reply reply = get(digest);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "0123456789");
  EXPECT_EQ(reply.headers.at("Docker-Content-Digest"), digest.str());
  EXPECT_EQ(reply.headers.at("Content-Type"), "application/octet-stream");
  EXPECT_EQ(reply.headers.at("Accept-Ranges"), "bytes");
}

TEST_F(RegistryBlobs, HeadSaysHowLarge) {
  const Digest digest = push_blob("0123456789");
  const Reply reply = ask("HEAD", blob_at("team/main/app", digest));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.size, 10U);
  EXPECT_EQ(reply.headers.at("Docker-Content-Digest"), digest.str());
}

TEST_F(RegistryBlobs, ThatAreNotThereAreUnknown) {
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    const Reply reply = ask(method, blob_at("team/main/app", Digest::of("nothing")));
    EXPECT_EQ(reply.status, 404) << method;
    EXPECT_EQ(reply.code, "BLOB_UNKNOWN") << method;
  }
}

TEST_F(RegistryBlobs, HaveDigestsOfSha256) {
  const std::string hex(64, 'a');
  for (const std::string& digest :
       {std::string("sha256:short"), std::string("latest"), "sha256:" + std::string(64, 'G'),
        "sha256:" + std::string(64, 'A'), "sha512:" + hex + hex, std::string("sha256:"),
        "md5:" + hex, std::string("..")}) {
    const Reply reply = ask("GET", "/v2/team/main/app/blobs/" + digest);
    EXPECT_EQ(reply.status, 400) << digest;
    EXPECT_EQ(reply.code, "DIGEST_INVALID") << digest;
  }
  EXPECT_NE(ask("GET", "/v2/team/main/app/blobs/sha512:" + hex + hex).body.find("only sha256"),
            std::string::npos)
      << "says what it does not take";
}

TEST_F(RegistryBlobs, AreGotInParts) {
  const Digest digest = push_blob("0123456789");
  const std::tuple<const char*, const char*, const char*> parts[] = {
      {"bytes=0-3", "0123", "bytes 0-3/10"},
      {"bytes=4-", "456789", "bytes 4-9/10"},
      {"bytes=-3", "789", "bytes 7-9/10"},
      {"bytes=-100", "0123456789", "bytes 0-9/10"},
      {"bytes=8-100", "89", "bytes 8-9/10"},
      {"bytes=9-9", "9", "bytes 9-9/10"},
      {"bytes=2-99999999999999999999999", "23456789", "bytes 2-9/10"}};
  for (const auto& [range, bytes, content_range] : parts) {
    const Reply reply = get(digest, {{"range", range}});
    EXPECT_EQ(reply.status, 206) << range;
    EXPECT_EQ(reply.body, bytes) << range;
    EXPECT_EQ(reply.headers.at("Content-Range"), content_range);
    EXPECT_EQ(reply.headers.at("Docker-Content-Digest"), digest.str()) << "of the whole";
  }
}

TEST_F(RegistryBlobs, HaveNoBytesBeyondTheirEnd) {
  const Digest digest = push_blob("0123456789");
  for (const char* range :
       {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"}) {
    const Reply reply = get(digest, {{"range", range}});
    EXPECT_EQ(reply.status, 416) << range;
    EXPECT_EQ(reply.headers.at("Content-Range"), "bytes */10") << range;
  }
  EXPECT_EQ(get(push_blob(""), {{"range", "bytes=0-"}}).status, 416);
}

TEST_F(RegistryBlobs, AreGotWholeWhenTheRangeIsNoneThatCounts) {
  const Digest digest = push_blob("0123456789");
  for (const char* range : {"bytes=0-1,4-5", "lines=1-2", "bytes=3-1", "bytes=a-b", "bytes=",
                            "bytes=-", "bytes=1", "", "bytes= 1-2", "bytes=+1-2", "bytes=1--2"}) {
    const Reply reply = get(digest, {{"range", range}});
    EXPECT_EQ(reply.status, 200) << range;
    EXPECT_EQ(reply.body, "0123456789") << range;
  }
}

TEST_F(RegistryBlobs, AreResumedOnlyIfTheyAreTheSame) {
  const Digest digest = push_blob("0123456789");
  const std::string etag = get(digest).headers.at("ETag");
  EXPECT_EQ(get(digest, {{"range", "bytes=5-"}, {"if-range", etag}}).status, 206);
  EXPECT_EQ(get(digest, {{"range", "bytes=5-"}, {"if-range", "\"other\""}}).status, 200);
}

TEST_F(RegistryBlobs, OfAParentAreSeenByTheChild) {
  const Digest digest = push_blob("parent's");
  be("team/pr-12");
  EXPECT_EQ(ask("GET", blob_at("team/pr-12/app", digest)).body, "parent's");
  EXPECT_EQ(ask("HEAD", blob_at("team/pr-12", digest)).status, 200);
  EXPECT_EQ(ask("DELETE", blob_at("team/pr-12/app", digest)).status, 404) << "not to be deleted";
  be("team/main");
  EXPECT_EQ(get(digest).status, 200);
}

TEST_F(RegistryBlobs, OfOthersAreNotSeen) {
  const Digest digest = push_blob("secret");
  be("other");
  EXPECT_EQ(ask("GET", blob_at("other/app", digest)).code, "BLOB_UNKNOWN");
  EXPECT_EQ(ask("GET", blob_at("no/namespace", digest)).code, "BLOB_UNKNOWN");
  be("*");
  EXPECT_EQ(ask("GET", blob_at("other/app", digest)).code, "BLOB_UNKNOWN")
      << "it is the repository that counts";
}

TEST_F(RegistryBlobs, AreDeleted) {
  const Digest digest = push_blob("x");
  EXPECT_EQ(ask("DELETE", blob_at("team/main/app", digest)).status, 202);
  EXPECT_EQ(get(digest).status, 404);
  EXPECT_FALSE(blobs_->size(digest)->has_value());
}

TEST_F(RegistryBlobs, ThatAManifestNeedsAreNotDeleted) {
  push_blob("{}");
  const Digest layer = push_blob("layer");
  ASSERT_EQ(put_manifest("v1", image({"layer"})).status, 201);
  const Reply reply = ask("DELETE", blob_at("team/main/app", layer));
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.code, "DENIED");
  EXPECT_EQ(get(layer).status, 200);
}

TEST_F(RegistryBlobs, ThatWereLostAreAskedForAgain) {
  for (const char* method : {"GET", "HEAD"}) {
    const Digest digest = push_blob("x");
    ASSERT_TRUE(blobs_->remove(digest));
    EXPECT_EQ(ask(method, blob_at("team/main/app", digest)).status, 404) << method;
    EXPECT_FALSE(meta_->repositories().is_linked(digest).value());
  }
}

TEST(ContentRange, IsThatOfTheSpecAndOfClientsThatWriteHttps) {
  EXPECT_EQ(parse_content_range("0-9"), (ByteRange{.begin = 0, .end = 10}));
  EXPECT_EQ(parse_content_range("5-5"), (ByteRange{.begin = 5, .end = 6}));
  EXPECT_EQ(parse_content_range("bytes 0-9/20"), (ByteRange{.begin = 0, .end = 10}));
  EXPECT_EQ(parse_content_range("bytes 0-9/*"), (ByteRange{.begin = 0, .end = 10}));
  for (const char* text : {"", "-", "1", "1-", "-1", "2-1", "a-b", "0-9/20", "bytes=0-9", " 0-9",
                           "0-9 ", "0x1-0x2", "1-2-3"}) {
    EXPECT_EQ(parse_content_range(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mybuild::cache_server
