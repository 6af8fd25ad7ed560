// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/body.h"

#include "builder/registry/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::registry {
namespace {

Response answer(int status, std::map<std::string, std::string> headers = {}) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  return response;
}

oci::Descriptor descriptor_of(std::string_view bytes) {
  return {"application/octet-stream", Digest::of(bytes), bytes.size(), std::nullopt, {}};
}

TEST(BlobBody, PassesEachByteOnOnceWhenTheSecondAnswerStartsOver) {
  const oci::Descriptor descriptor = descriptor_of("0123456789");
  StringSink sink;
  BlobBody body(descriptor, sink);
  ASSERT_TRUE(body.begin(answer(200)));
  ASSERT_TRUE(body.write(as_bytes("0123")));
  ASSERT_TRUE(body.begin(answer(200)));
  ASSERT_TRUE(body.write(as_bytes("01")));
  ASSERT_TRUE(body.write(as_bytes("23456789")));
  EXPECT_TRUE(body.verify());
  EXPECT_EQ(sink.text, "0123456789");
}

TEST(BlobBody, ContinuesARange) {
  const oci::Descriptor descriptor = descriptor_of("0123456789");
  StringSink sink;
  BlobBody body(descriptor, sink);
  ASSERT_TRUE(body.begin(answer(200)));
  ASSERT_TRUE(body.write(as_bytes("0123")));
  ASSERT_TRUE(body.begin(answer(206, {{"content-range", "bytes 4-9/10"}})));
  ASSERT_TRUE(body.write(as_bytes("456789")));
  EXPECT_TRUE(body.verify());
}

TEST(BlobBody, RefusesAnotherRangeThanItNeeds) {
  const oci::Descriptor descriptor = descriptor_of("0123456789");
  StringSink sink;
  BlobBody body(descriptor, sink);
  EXPECT_FALSE(body.begin(answer(206, {{"content-range", "bytes 4-9/10"}})));
  EXPECT_TRUE(body.refusal());
}

TEST(BlobBody, RefusesWrongSizesBeforeTheyAreWritten) {
  const oci::Descriptor descriptor = descriptor_of("0123");
  StringSink sink;
  BlobBody body(descriptor, sink);
  EXPECT_EQ(body.begin(answer(200, {{"content-length", "5"}})).error().kind(), ErrorKind::DataLoss);
  EXPECT_EQ(body.write(as_bytes("01234")).error().kind(), ErrorKind::DataLoss);
  EXPECT_EQ(sink.text, "");
}

TEST(BlobBody, NoticesOtherBytes) {
  const oci::Descriptor descriptor = descriptor_of("0123");
  StringSink sink;
  BlobBody body(descriptor, sink);
  ASSERT_TRUE(body.begin(answer(200)));
  ASSERT_TRUE(body.write(as_bytes("0124")));
  EXPECT_EQ(body.verify().error().kind(), ErrorKind::DataLoss);
}

TEST(BlobBody, LeavesTheDigestToASinkThatComparesIt) {
  const oci::Descriptor descriptor = descriptor_of("0123");
  StringSink sink;
  BlobBody body(descriptor, sink, DigestCheck::BySink);
  ASSERT_TRUE(body.begin(answer(200)));
  ASSERT_TRUE(body.write(as_bytes("01")));
  EXPECT_EQ(body.verify().error().kind(), ErrorKind::DataLoss);  // the size is its business
  ASSERT_TRUE(body.write(as_bytes("24")));
  EXPECT_TRUE(body.verify());
}

TEST(Errors, TextFromOutsideCannotControlTheTerminal) {
  Response response = answer(500);
  response.error_text = R"({"errors":[{"message":"\u001b[31mred\nline"}]})";
  EXPECT_EQ(registry_message(response), " [31mred line");
  response.error_text = "<html>";
  EXPECT_EQ(registry_message(response), "");
}

}  // namespace
}  // namespace mybuild::registry
