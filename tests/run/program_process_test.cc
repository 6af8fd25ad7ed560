// SPDX-License-Identifier: Apache-2.0
#include "builder/run/program_process.h"

#include "builder/run/run_lock.h"
#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

namespace mybuild::run {
namespace {

// With a real program it is looked at in tests/e2e/containers_inspect.sh.
TEST(ProgramProcess, WhoRunsNoProgramHasNone) {
  const TempDir dir = TempDir::create().value();
  const std::string path = dir.path() + "/lock";
  EXPECT_EQ(find_program(path), 0) << "there is no lock";
  const auto lock = RunLock::try_acquire(path);
  ASSERT_TRUE(lock && *lock);
  EXPECT_EQ(find_program(path), 0) << "we hold it, and have started nothing";
}

}  // namespace
}  // namespace mybuild::run
