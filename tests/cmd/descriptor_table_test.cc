// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/descriptor_table.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace mybuild::cli {
namespace {

/// How many descriptors the kernel has room for without a larger table.
int table_size() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "FDSize:") {
      status >> word;
      return std::stoi(word);
    }
  }
  return -1;
}

[[noreturn]] void exit_by(bool is_right) {
  std::_Exit(is_right ? 0 : 1);
}

[[noreturn]] void enlarge() {
  const int before = table_size();
  const int next = ::dup(0);
  ::close(next);
  enlarge_descriptor_table();
  const bool is_free = ::dup(0) == next;
  exit_by(before < 1024 && table_size() == 1024 && is_free);
}

[[noreturn]] void enlarge_within(rlim_t limit) {
  const rlimit few{.rlim_cur = limit, .rlim_max = limit};
  ::setrlimit(RLIMIT_NOFILE, &few);
  enlarge_descriptor_table();
  exit_by(table_size() >= static_cast<int>(limit) && table_size() < 1024);
}

// Each has a process of its own, as a table never shrinks.

TEST(DescriptorTable, IsLargeBeforeItIsNeeded) {
  EXPECT_EXIT(enlarge(), testing::ExitedWithCode(0), "");
}

TEST(DescriptorTable, ALowerLimitIsNoFault) {
  EXPECT_EXIT(enlarge_within(300), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace mybuild::cli
