// SPDX-License-Identifier: Apache-2.0
// Distribution spec 1.1: end-4a, end-4b (POST), end-5 (PATCH), end-6 (PUT), end-11 (mount), end-13
// (status), end-14 (cancel).
#include "tests/cache_server/registry_fixture.h"

#include <fmt/core.h>

#include <thread>
#include <vector>

namespace mybuild::cache_server {
namespace {

const std::string kBytes = "0123456789";

class RegistryUploads : public RegistryFixture {
 protected:
  Reply put(const std::string& upload, std::string_view bytes, const Digest& digest,
            const Headers& headers = {}) {
    return ask("PUT", fmt::format("{}?digest={}", upload, digest.str()), bytes, headers);
  }
  Reply patch(const std::string& upload, std::string_view bytes, const std::string& range = "") {
    return ask("PATCH", upload, bytes,
               range.empty() ? Headers() : Headers{{"content-range", range}});
  }
  std::string get(const Digest& digest, const std::string& name = "team/main/app") {
    return ask("GET", fmt::format("/v2/{}/blobs/{}", name, digest.str())).body;
  }
  Reply mount(const std::string& name, const Digest& digest, const std::string& from) {
    return ask("POST", fmt::format("/v2/{}/blobs/uploads/?mount={}{}", name, digest.str(), from));
  }
};

TEST_F(RegistryUploads, BeginWithAPost) {
  const Reply reply = ask("POST", "/v2/team/main/app/blobs/uploads/");
  EXPECT_EQ(reply.status, 202);
  EXPECT_TRUE(reply.headers.at("Location").starts_with("/v2/team/main/app/blobs/uploads/"));
  EXPECT_EQ(reply.headers.at("Range"), "0-0");
  EXPECT_EQ(reply.body, "");
  EXPECT_NE(begin_upload(), begin_upload());
  EXPECT_GE(reply.headers.at("Docker-Upload-UUID").size(), 32U) << "128 bits in hex";
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads").status, 202) << "without the slash";
}

TEST_F(RegistryUploads, EndWithAPutOfAllBytes) {
  const Digest digest = Digest::of(kBytes);
  const Reply reply = put(begin_upload(), kBytes, digest);
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.headers.at("Location"), "/v2/team/main/app/blobs/" + digest.str());
  EXPECT_EQ(reply.headers.at("Docker-Content-Digest"), digest.str());
  EXPECT_EQ(get(digest), kBytes);
}

TEST_F(RegistryUploads, MayBeOnePost) {
  const Digest digest = Digest::of(kBytes);
  const Reply reply =
      ask("POST", "/v2/team/main/app/blobs/uploads/?digest=" + digest.str(), kBytes);
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.headers.at("Location"), "/v2/team/main/app/blobs/" + digest.str());
  EXPECT_EQ(get(digest), kBytes);
  EXPECT_EQ(api_->open_uploads(), 0U);
}

TEST_F(RegistryUploads, MayBeAStream) {
  const std::string upload = begin_upload();
  const Reply patched = stream("PATCH", upload, {"01234", "567"});
  EXPECT_EQ(patched.status, 202);
  EXPECT_EQ(patched.headers.at("Range"), "0-7");
  EXPECT_EQ(patched.headers.at("Location"), upload);
  EXPECT_EQ(stream("PUT", upload + "?digest=" + Digest::of(kBytes).str(), {"8", "9"}).status, 201);
  EXPECT_EQ(get(Digest::of(kBytes)), kBytes);
}

TEST_F(RegistryUploads, MayComeInChunksThatFollowEachOther) {
  const std::string upload = begin_upload();
  EXPECT_EQ(patch(upload, "0123", "0-3").headers.at("Range"), "0-3");
  EXPECT_EQ(patch(upload, "456", "4-6").headers.at("Range"), "0-6");
  EXPECT_EQ(put(upload, "789", Digest::of(kBytes), {{"content-range", "7-9"}}).status, 201);
  EXPECT_EQ(get(Digest::of(kBytes)), kBytes);
}

TEST_F(RegistryUploads, MayEndWithAnEmptyPut) {
  const std::string upload = begin_upload();
  EXPECT_EQ(patch(upload, kBytes).status, 202);
  EXPECT_EQ(put(upload, "", Digest::of(kBytes)).status, 201);
}

TEST_F(RegistryUploads, MayHaveNoBytesAtAll) {
  EXPECT_EQ(put(begin_upload(), "", Digest::of("")).status, 201);
  EXPECT_EQ(ask("HEAD", "/v2/team/main/app/blobs/" + Digest::of("").str()).size, 0U);
}

TEST_F(RegistryUploads, RefuseChunksThatDoNotFollow) {
  const std::string upload = begin_upload();
  ASSERT_EQ(patch(upload, "0123", "0-3").status, 202);
  for (const char* range : {"5-6", "0-1", "3-4", "4-9", "4-4", "nonsense", "4", "bytes=4-5"}) {
    const Reply reply = patch(upload, "45", range);
    EXPECT_EQ(reply.status, 416) << range;
    EXPECT_EQ(reply.headers.at("Range"), "0-3") << range;
    EXPECT_EQ(reply.headers.at("Location"), upload) << range;
  }
  EXPECT_EQ(put(upload, "9", Digest::of(kBytes), {{"content-range", "9-9"}}).status, 416);
  EXPECT_EQ(patch(upload, "456789", "4-9").status, 202) << "and go on";
  EXPECT_EQ(put(upload, "", Digest::of(kBytes)).status, 201);
}

TEST_F(RegistryUploads, RefuseAStreamOfAnotherSizeThanItsRange) {
  const std::string upload = begin_upload();
  const Reply longer = stream("PATCH", upload, {"01", "23", "45"}, {{"content-range", "0-3"}});
  EXPECT_EQ(longer.status, 416);
  EXPECT_EQ(longer.headers.at("Range"), "0-3") << "what was announced is kept";
  const Reply shorter = stream("PATCH", upload, {"4"}, {{"content-range", "4-9"}});
  EXPECT_EQ(shorter.status, 416);
  EXPECT_EQ(shorter.headers.at("Range"), "0-4");
  EXPECT_EQ(put(upload, "56789", Digest::of(kBytes)).status, 201);
}

TEST_F(RegistryUploads, SayHowFarTheyAre) {
  const std::string upload = begin_upload();
  EXPECT_EQ(ask("GET", upload).headers.at("Range"), "0-0");
  ASSERT_EQ(patch(upload, "0123").status, 202);
  const Reply reply = ask("GET", upload);
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.headers.at("Range"), "0-3");
  EXPECT_EQ(reply.headers.at("Location"), upload);
}

TEST_F(RegistryUploads, KeepWhatCameBeforeTheConnectionBroke) {
  const std::string upload = begin_upload();
  {
    const auto exchange = api_->begin(request("PATCH", upload));
    ASSERT_TRUE(exchange->write(as_bytes("0123")));
  }
  EXPECT_EQ(ask("GET", upload).headers.at("Range"), "0-3");
  EXPECT_EQ(put(upload, "456789", Digest::of(kBytes)).status, 201);
}

TEST_F(RegistryUploads, OfOneRequestGoWithIt) {
  const std::string target = "/v2/team/main/app/blobs/uploads/?digest=" + Digest::of(kBytes).str();
  {
    const auto exchange = api_->begin(request("POST", target));
    ASSERT_TRUE(exchange->write(as_bytes("0123")));
    EXPECT_EQ(api_->open_uploads(), 1U) << "it counts as one";
  }
  EXPECT_EQ(api_->open_uploads(), 0U);
}

TEST_F(RegistryUploads, WithOtherBytesThanTheDigestSaysAreThrownAway) {
  const std::string upload = begin_upload();
  const Reply reply = put(upload, "not these", Digest::of(kBytes));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.code, "DIGEST_INVALID");
  EXPECT_EQ(ask("GET", upload).status, 404) << "the upload is over";
  EXPECT_FALSE(blobs_->size(Digest::of(kBytes))->has_value());
  EXPECT_FALSE(meta_->repositories().is_linked(Digest::of("not these")).value());
  const std::string whole = "/v2/team/main/app/blobs/uploads/?digest=" + Digest::of(kBytes).str();
  EXPECT_EQ(ask("POST", whole, "not these").code, "DIGEST_INVALID");
}

TEST_F(RegistryUploads, NeedADigestOfSha256) {
  const std::string upload = begin_upload();
  for (const char* query :
       {"", "?digest=", "?digest=sha256:12", "?digest=sha512:12", "?digest=x"}) {
    const Reply reply = ask("PUT", upload + query, kBytes);
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(reply.code, "DIGEST_INVALID") << query;
  }
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/?digest=sha512:12", kBytes).code,
            "DIGEST_INVALID");
  EXPECT_EQ(put(upload, kBytes, Digest::of(kBytes)).status, 201) << "the upload goes on";
}

TEST_F(RegistryUploads, AreCancelled) {
  const std::string upload = begin_upload();
  EXPECT_EQ(ask("DELETE", upload).status, 204);
  EXPECT_EQ(ask("DELETE", upload).status, 404);
  EXPECT_EQ(api_->open_uploads(), 0U);
}

TEST_F(RegistryUploads, ThatNobodyBeganAreUnknown) {
  for (const char* method : {"GET", "PATCH", "PUT", "DELETE"}) {
    const Reply reply = ask(method, "/v2/team/main/app/blobs/uploads/0123456789abcdef", "x");
    EXPECT_EQ(reply.status, 404) << method;
    EXPECT_EQ(reply.code, "BLOB_UPLOAD_UNKNOWN") << method;
  }
}

TEST_F(RegistryUploads, BelongToTheirRepositoryAndToken) {
  const std::string upload = begin_upload();
  const std::string id = upload.substr(upload.rfind('/') + 1);
  EXPECT_EQ(ask("GET", "/v2/team/main/second/blobs/uploads/" + id).status, 404);
  be("team/main", 3, "another token");
  EXPECT_EQ(ask("GET", upload).status, 404);
  EXPECT_EQ(patch(upload, "injected").status, 404);
  be("team/main");
  EXPECT_EQ(ask("GET", upload).headers.at("Range"), "0-0");
}

TEST_F(RegistryUploads, TakeOneRequestAtATime) {
  const std::string upload = begin_upload();
  {
    const auto first = api_->begin(request("PATCH", upload));
    ASSERT_TRUE(first->write(as_bytes("0123")));
    for (const char* method : {"PATCH", "PUT", "GET", "DELETE"}) {
      EXPECT_EQ(ask(method, upload, "x").status, 409) << method;
    }
    EXPECT_EQ(finish(*first).status, 202);
  }
  EXPECT_EQ(ask("GET", upload).status, 204);
}

TEST_F(RegistryUploads, GoWhenNothingComesForAQuarterOfAnHour) {
  const std::string upload = begin_upload();
  const std::string living = begin_upload();
  clock_.advance(std::chrono::minutes(10));
  EXPECT_EQ(patch(living, "x").status, 202);
  clock_.advance(std::chrono::minutes(6));
  EXPECT_EQ(patch(upload, "x").status, 404);
  EXPECT_EQ(patch(living, "x").status, 202);
  clock_.advance(std::chrono::minutes(16));
  api_->drop_idle_uploads();
  EXPECT_EQ(api_->open_uploads(), 0U);
}

TEST_F(RegistryUploads, AreAHundredOfOneTokenAtMost) {
  const std::string first = begin_upload();
  for (int i = 1; i < 100; ++i) {
    begin_upload();
  }
  const Reply reply = ask("POST", "/v2/team/main/app/blobs/uploads/");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.code, "TOOMANYREQUESTS");
  EXPECT_EQ(
      ask("POST", "/v2/team/main/app/blobs/uploads/?digest=" + Digest::of("x").str(), "x").status,
      429);
  be("team/main", 3, "another token");
  begin_upload();
  be("team/main");
  EXPECT_EQ(ask("DELETE", first).status, 204);
  begin_upload();
}

TEST_F(RegistryUploads, AreAThousandAtMostAndNoTokenHasMoreThanAreLeft) {
  const auto begin_as = [&](int token) {
    be("team/main", 3, "token " + std::to_string(token));
    return ask("POST", "/v2/team/main/app/blobs/uploads/").status;
  };
  for (int token = 0; token < 10; ++token) {
    while (begin_as(token) == 202) {
    }
  }
  EXPECT_EQ(api_->open_uploads(), 950U);
  for (int token = 10; token < 60; ++token) {
    EXPECT_EQ(begin_as(token), 202) << "who comes later finds a place";
  }
  EXPECT_EQ(begin_as(60), 429);
}

TEST_F(RegistryUploads, ThatWereForsakenMakeRoomTheLongestFirst) {
  const std::string oldest = begin_upload();
  const std::string living = begin_upload();
  for (int i = 2; i < 100; ++i) {
    begin_upload();
  }
  clock_.advance(std::chrono::seconds(9));
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 429);
  EXPECT_EQ(patch(living, "x").status, 202);
  clock_.advance(std::chrono::seconds(1));
  for (int i = 0; i < 99; ++i) {
    EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 202) << i;
  }
  EXPECT_EQ(ask("GET", oldest).status, 404);
  EXPECT_EQ(ask("GET", living).status, 204);
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 429) << "all are fresh now";
  EXPECT_EQ(api_->open_uploads(), 100U);
}

TEST_F(RegistryUploads, OfOneTokenMakeNoRoomForMoreOfAnother) {
  begin_upload();
  be("team/main", 3, "another token");
  for (int i = 0; i < 100; ++i) {
    clock_.advance(i == 0 ? std::chrono::seconds(60) : std::chrono::seconds(0));
    begin_upload();
  }
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 429);
}

TEST_F(RegistryUploads, ThatAreInUseAreNotForsaken) {
  const std::string slow = begin_upload();
  const auto exchange = api_->begin(request("PATCH", slow));
  ASSERT_TRUE(exchange->write(as_bytes("0123")));
  clock_.advance(std::chrono::seconds(60));
  for (int i = 1; i < 100; ++i) {
    begin_upload();
  }
  EXPECT_EQ(ask("POST", "/v2/team/main/app/blobs/uploads/").status, 429);
  EXPECT_EQ(finish(*exchange).status, 202);
}

TEST_F(RegistryUploads, AreRefusedWhenTheNamespaceHasItsShare) {
  share_left_ = 5;
  const Reply reply = put(begin_upload(), kBytes, Digest::of(kBytes));
  EXPECT_EQ(reply.status, 507);
  EXPECT_NE(reply.body.find("team/main has its share"), std::string::npos);
  const std::string upload = begin_upload();
  EXPECT_EQ(patch(upload, kBytes.substr(0, 5)).status, 202);
  EXPECT_EQ(put(upload, "", Digest::of(kBytes.substr(0, 5))).status, 201);
  const std::string streamed = begin_upload();
  EXPECT_EQ(stream("PATCH", streamed, {kBytes}).status, 202) << "nobody said how many come";
  EXPECT_EQ(put(streamed, "", Digest::of(kBytes)).status, 507);
}

TEST_F(RegistryUploads, AreRefusedBeforeTheirBytesWhenThereIsNoSpace) {
  space_left_ = 5;
  const Reply reply = put(begin_upload(), kBytes, Digest::of(kBytes));
  EXPECT_EQ(reply.status, 507);
  const std::string upload = begin_upload();
  EXPECT_EQ(stream("PATCH", upload, {kBytes}).status, 507) << "nobody said how many come";
  EXPECT_EQ(ask("GET", upload).status, 404);
}

TEST_F(RegistryUploads, ShareTheSpaceThatIsLeft) {
  space_left_ = 15;
  const std::string first = begin_upload();
  ASSERT_EQ(patch(first, kBytes).status, 202);
  EXPECT_EQ(patch(begin_upload(), kBytes).status, 507);
  ASSERT_EQ(ask("DELETE", first).status, 204);
  EXPECT_EQ(patch(begin_upload(), kBytes).status, 202);
}

TEST_F(RegistryUploads, StopWhenTheSpaceIsUsedUpOnTheWay) {
  const std::string megabyte(1 << 20, 'x');
  const auto exchange = api_->begin(request("PATCH", begin_upload()));
  ASSERT_TRUE(exchange->write(as_bytes(megabyte)));
  space_left_ = 100;
  EXPECT_FALSE(exchange->write(as_bytes(megabyte)));
  EXPECT_EQ(finish(*exchange).status, 507);
}

TEST_F(RegistryUploads, OfManyClientsComeAtOnce) {
  const auto upload_some = [&](int client) {
    for (int i = 0; i < 5; ++i) {
      const std::string bytes = fmt::format("{} of client {}", i, client % 2);
      const std::string upload = begin_upload();
      EXPECT_EQ(patch(upload, bytes.substr(0, 3)).status, 202);
      EXPECT_EQ(put(upload, bytes.substr(3), Digest::of(bytes)).status, 201);
      EXPECT_EQ(get(Digest::of(bytes)), bytes);
    }
  };
  std::vector<std::thread> clients;
  clients.reserve(4);
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back(upload_some, client);
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(api_->open_uploads(), 0U);
}

TEST_F(RegistryUploads, MountWhatAnotherRepositoryHas) {
  const Digest digest = push_blob(kBytes);
  be("team/pr-12");
  const Reply reply = mount("team/pr-12/app", digest, "&from=team/main/app");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.headers.at("Location"), "/v2/team/pr-12/app/blobs/" + digest.str());
  EXPECT_EQ(reply.headers.at("Docker-Content-Digest"), digest.str());
  EXPECT_TRUE(meta_->repositories().find_blob({"team/pr-12"}, digest, clock_.now())->has_value());
}

TEST_F(RegistryUploads, MountFromAnywhereOneReads) {
  const Digest digest = push_blob(kBytes);
  be("team/pr-12");
  EXPECT_EQ(mount("team/pr-12/app", digest, "").status, 201);
  be("other");
  EXPECT_EQ(mount("other/app", digest, "").status, 202);
  be("*");
  EXPECT_EQ(mount("other/app", digest, "").status, 201);
}

TEST_F(RegistryUploads, BeginWhenAMountIsNotToBe) {
  const Digest digest = push_blob(kBytes);
  be("other");
  for (const auto& [from, what] :
       {std::pair(std::string("&from=team/main/app"), "one may not read it"),
        std::pair(std::string("&from=other/second"), "it has not got it"),
        std::pair(std::string("&from=NO NAME"), "there is none")}) {
    const Reply reply = mount("other/app", digest, from);
    EXPECT_EQ(reply.status, 202) << what;
    EXPECT_TRUE(reply.headers.at("Location").starts_with("/v2/other/app/blobs/uploads/")) << what;
  }
  EXPECT_EQ(ask("POST", "/v2/other/app/blobs/uploads/?mount=nonsense&from=other/app").status, 202);
  EXPECT_EQ(get(digest, "other/app").find(kBytes), std::string::npos);
}

}  // namespace
}  // namespace mybuild::cache_server
