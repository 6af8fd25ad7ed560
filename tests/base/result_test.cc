// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/result.h"

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <memory>

namespace mybuild {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) {
    return invalid_argument("{} is odd", number);
  }
  return number / 2;
}
Result<int> quarter(int number) {
  const int once = TRY(half(number));
  return TRY(half(once));
}
Status check_quarter(int number) {
  TRY(quarter(number).context("quarter"));
  return {};
}

TEST(Result, TryGivesTheValueOrLeavesWithTheError) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).error().message(), "3 is odd");
  EXPECT_TRUE(check_quarter(8));
  EXPECT_EQ(check_quarter(1).error().message(), "quarter: 1 is odd");
}

TEST(Result, CarriesMoveOnlyValuesAndConverts) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  EXPECT_EQ(*make().value(), 5);
  const Result<std::string> text = "from a literal";
  EXPECT_EQ(*text, "from a literal");
  EXPECT_EQ(half(3).value_or(-1), -1);
}

TEST(Error, IsOnePointerAndKeepsAllItWasTold) {
  static_assert(sizeof(Error) == sizeof(void*));
  Error error = os_error(ENOENT, "open /x").with_hint("make it").context("read config");
  const Error copy = error;
  EXPECT_EQ(copy.message(), "read config: open /x: No such file or directory");
  EXPECT_EQ(copy.kind(), ErrorKind::NotFound);
  EXPECT_EQ(copy.os_errno(), ENOENT);
  EXPECT_EQ(copy.hint(), "make it");
  EXPECT_EQ(copy.location(), nullptr);
}

TEST(Error, KeepsTheFirstLocation) {
  const Error error = invalid_argument("bad").at({"Dockerfile", 3, 3, ""}).at({"other", 9, 9, ""});
  EXPECT_EQ(error.location()->file, "Dockerfile");
}

TEST(Cancel, TheFirstReasonWinsAndWakesPollers) {
  Cancel cancel;
  EXPECT_TRUE(cancel.check());
  EXPECT_FALSE(*sys::poll_readable(cancel.fd(), std::chrono::milliseconds(0)));
  cancel.request(make_error(ErrorKind::Cancelled, "interrupted"));
  cancel.request(make_error(ErrorKind::Deadline, "too late"));
  EXPECT_EQ(cancel.check().error().message(), "interrupted");
  EXPECT_TRUE(*sys::poll_readable(cancel.fd(), std::chrono::milliseconds(0)));
}

TEST(Bytes, ReadAllHasALimitThatMayBeAnything) {
  StringSource five("12345");
  EXPECT_EQ(read_all(five, 5).value(), "12345");
  StringSource six("123456");
  EXPECT_EQ(read_all(six, 5).error().kind(), ErrorKind::InvalidArgument);
  StringSource unlimited("123456");
  EXPECT_EQ(read_all(unlimited, SIZE_MAX).value(), "123456");
  StringSource none("");
  EXPECT_EQ(read_all(none, 0).value(), "");
}

TEST(Bytes, CopyMovesEverything) {
  const std::string text(1'000'000, 'x');
  StringSource source(text);
  StringSink sink;
  EXPECT_EQ(*copy(source, sink), text.size());
  EXPECT_TRUE(sink.text == text);
}

}  // namespace
}  // namespace mybuild
