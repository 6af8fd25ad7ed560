// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/descriptor_table.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

/// 8 KiB of the kernel's memory.
constexpr rlim_t kDescriptors = 1024;

}  // namespace

void enlarge_descriptor_table() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  // The table grows when a large number is given out, and never shrinks.
  const auto last = static_cast<int>(std::min(limit.rlim_cur, kDescriptors)) - 1;
  if (const int copy = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, last); copy >= 0) {
    ::close(copy);
  }
}

}  // namespace mybuild::cli
