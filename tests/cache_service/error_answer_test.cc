// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace mybuild::cache_server {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ErrorAnswer, AFullDiskIsNoFailureOfTheServer) {
  const Answer answer = error_answer(
      make_error(ErrorKind::Unavailable, "database /srv/cache.db: full").with_errno(ENOSPC));
  EXPECT_EQ(answer.status, 507);
  EXPECT_EQ(answer.note, "");
}

TEST(ErrorAnswer, AFullCacheIsNoFullDisk) {
  const Answer answer =
      error_answer(make_error(ErrorKind::Unavailable, "no space is left").with_errno(EDQUOT));
  EXPECT_EQ(answer.status, 507);
  EXPECT_THAT(std::get<std::string>(answer.body), HasSubstr("\"the cache is full\""));
}

TEST(ErrorAnswer, WhatAClientDidWrongIsSaid) {
  const Answer answer = error_answer(invalid_argument("no such digest"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(std::get<std::string>(answer.body), HasSubstr("no such digest"));
}

TEST(ErrorAnswer, ADamagedDatabaseDoesNotMeanThatThereIsNone) {
  EXPECT_EQ(error_answer(data_loss("database: malformed")).status, 500);
}

TEST(ErrorAnswer, FilesOfTheServerAreNamedToItsLogOnly) {
  for (const ErrorKind kind : {ErrorKind::Unavailable, ErrorKind::DataLoss, ErrorKind::Internal}) {
    const Answer answer = error_answer(make_error(kind, "database /srv/cache.db: I/O error"));
    EXPECT_THAT(std::get<std::string>(answer.body), Not(HasSubstr("/srv")));
    EXPECT_THAT(answer.note, HasSubstr("/srv/cache.db"));
  }
}

}  // namespace
}  // namespace mybuild::cache_server
