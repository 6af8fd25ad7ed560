// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container_dir.h"

#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mybuild::run {
namespace {

using testing::HasSubstr;

class ContainerDirTest : public testing::Test {
 protected:
  Result<ContainerDir> create(const std::string& id, const std::string& name) const {
    return ContainerDir::create(root(), {.id = id, .name = name, .image = "image"});
  }
  std::string root() const { return join_path(dir_.path(), "containers"); }
  bool exists(const std::string& id) const {
    return sys::exists_at(AT_FDCWD, join_path(root(), id));
  }
  TempDir dir_ = TempDir::create().value();
};

TEST_F(ContainerDirTest, ItIsThereWhileTheObjectLives) {
  {
    const ContainerDir dir = create("one", "name").value();
    EXPECT_TRUE(exists("one"));
    const auto running = running_containers(root()).value();
    ASSERT_EQ(running.size(), 1U);
    EXPECT_EQ(running[0].id, "one");
    EXPECT_EQ(running[0].name, "name");
    EXPECT_EQ(running[0].image, "image");
  }
  EXPECT_FALSE(exists("one"));
  EXPECT_TRUE(running_containers(root()).value().empty());
}

TEST_F(ContainerDirTest, ANameIsTakenOnlyWhileItsContainerRuns) {
  {
    const ContainerDir dir = create("one", "name").value();
    const auto second = create("two", "name");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), ErrorKind::AlreadyExists);
    EXPECT_THAT(second.error().message(), HasSubstr("name is in use by container one"));
    EXPECT_FALSE(exists("two"));
    EXPECT_TRUE(create("three", "other"));
  }
  EXPECT_TRUE(create("two", "name"));
}

TEST_F(ContainerDirTest, WhatAKilledProcessLeftIsSweptByTheNextStart) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto dir = create("dead", "name");
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(exists("dead"));
  ASSERT_TRUE(write_file(join_path(root(), "dead/file"), "left"));
  const ContainerDir living = create("living", "name").value();
  EXPECT_FALSE(exists("dead"));
  EXPECT_TRUE(exists("living"));
}

TEST_F(ContainerDirTest, NobodyRunsWhereNothingEverRan) {
  EXPECT_TRUE(running_containers(join_path(dir_.path(), "missing")).value().empty());
}

TEST(ContainerId, IsSixtyFourFreshHexDigits) {
  const std::string id = new_container_id().value();
  EXPECT_EQ(id.size(), 64U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(id, new_container_id().value());
}

}  // namespace
}  // namespace mybuild::run
