// SPDX-License-Identifier: Apache-2.0
// Many small blobs in one answer.
#include "tests/cache_server/records_world.h"

namespace mybuild::cache_server {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

class BlobsVerbTest : public RecordsWorld {
 protected:
  Digest keep(const std::string& space, const std::string& bytes) {
    auto writer = blobs_->begin().value();
    EXPECT_TRUE(writer->write(as_bytes(bytes)));
    EXPECT_TRUE(keeper_.keep(std::move(writer), Digest::of(bytes), space, clock_.time));
    return Digest::of(bytes);
  }
  std::vector<std::optional<std::string>> fetch(const Caller& caller,
                                                const std::vector<Digest>& digests) {
    const Answer answer = ask(caller, "blobs/-", dump(BlobsRequest{.blobs = digests}));
    EXPECT_EQ(answer.status, 200);
    std::vector<std::optional<std::string>> bytes;
    const std::string text = text_of(answer);
    const BlobsAnswer blobs = parse_blobs_answer(text, digests.size()).value();
    for (const auto& blob : blobs) {
      bytes.emplace_back(blob ? std::optional(std::string(*blob)) : std::nullopt);
    }
    return bytes;
  }
};

TEST_F(BlobsVerbTest, ComeInTheOrderInWhichTheyWereAskedFor) {
  const Digest one = keep("main", "one");
  const Digest empty = keep("main", "");
  EXPECT_THAT(fetch(member("main"), {empty, one, one}),
              ElementsAre(Optional(std::string()), Optional(std::string("one")),
                          Optional(std::string("one"))));
  EXPECT_TRUE(fetch(member("main"), {}).empty());
}

TEST_F(BlobsVerbTest, AreThoseOfOnesNamespaceAndItsAncestors) {
  const Digest mains = keep("main", "mains");
  const Digest prs = keep("pr", "prs");
  const Digest others = keep("other", "others");
  EXPECT_THAT(
      fetch(member("pr"), {mains, prs, others}),
      ElementsAre(Optional(std::string("mains")), Optional(std::string("prs")), std::nullopt));
  EXPECT_THAT(fetch(member("main"), {mains, prs}),
              ElementsAre(Optional(std::string("mains")), std::nullopt));
}

TEST_F(BlobsVerbTest, WhatIsNotThereLeavesAGap) {
  const Digest there = keep("main", "there");
  const Digest lost = keep("main", "lost");
  ASSERT_TRUE(blobs_->remove(lost));
  EXPECT_THAT(fetch(member("main"), {Digest::of("never"), lost, there}),
              ElementsAre(std::nullopt, std::nullopt, Optional(std::string("there"))));
}

TEST_F(BlobsVerbTest, LargeOnesAndThoseBeyondTheLimitAreLeftOut) {
  const Digest large = keep("main", std::string(kMaxSmallBlob + 1, 'x'));
  const Digest most = keep("main", std::string(kMaxSmallBlob, 'y'));
  const Digest small = keep("main", "z");
  std::vector<Digest> digests(kMaxBlobsBytes / kMaxSmallBlob, most);
  digests.push_back(large);
  digests.push_back(small);
  const auto bytes = fetch(member("main"), digests);
  EXPECT_TRUE(bytes.front());
  EXPECT_TRUE(bytes[digests.size() - 3]);
  EXPECT_FALSE(bytes[digests.size() - 2]);
  EXPECT_FALSE(bytes.back()) << "nothing is left of the limit";
  EXPECT_EQ(ask(member("main"), "blobs/-",
                dump(BlobsRequest{.blobs = std::vector<Digest>(kMaxBlobs + 1, small)}))
                .status,
            400);
}

TEST(BlobsAnswer, WhatIsCutOrTooLongIsRefused) {
  const std::string text = dump(BlobsAnswer{"ab", std::nullopt, ""});
  EXPECT_THAT(parse_blobs_answer(text, 3).value(), ElementsAre("ab", std::nullopt, ""));
  EXPECT_FALSE(parse_blobs_answer(text, 2));
  EXPECT_FALSE(parse_blobs_answer(text, 4));
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_blobs_answer(text.substr(0, size), 3)) << size;
  }
}

}  // namespace
}  // namespace mybuild::cache_server
